"""How long things take in the real Azure, in seconds. Each is a recorded figure, a documented one, or assumed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds of the real Azure (the clock shortens them). A test may pass its own."""

    cluster_write: float = 240  # assumed: a small cluster takes four to six minutes
    cluster_power: float = 120  # assumed
    trusted_access_write: float = 15  # assumed
    trusted_access_effect: float = 120  # documented: within five minutes
    extension_install: float = 240  # assumed: "a four-minute extension install"
    extension_update: float = 60  # assumed
    role_propagation: float = 120  # documented: up to ten minutes; Microsoft's own command waits 120 s
    directory_replication: float = 20  # assumed: Microsoft's CLI tries again three times, 10 s apart
    provider_registration: float = 60  # documented: up to ten minutes
    storage_account_write: float = 20  # assumed
    vault_write: float = 1  # recorded
    vault_delete: float = 10  # recorded (several polls)
    validate_for_backup: float = 44  # recorded
    validate_for_modify_backup: float = 44  # assumed: as long as validateForBackup
    instance_write: float = 1  # recorded: the operation itself
    configure_protection: float = 60  # recorded: about a minute until ProtectionConfigured
    instance_delete: float = 50  # recorded
    sync_protection: float = 60  # assumed: as long as configuring protection
    stop_protection: float = 50  # recorded: 40-60 s
    resume_protection: float = 100  # recorded: 45-160 s
    adhoc_trigger: float = 1  # recorded
    backup_job: float = 184  # recorded: PT3M4.5S
    vault_copy: float = 4 * 3600  # documented: up to four hours
    validate_for_restore: float = 41  # recorded
    restore_job: float = 214  # recorded: PT3M34.3S
    resource_group_delete: float = 30  # assumed
    event_grid_write: float = 5  # assumed: recorded operations were over at the first look, ten seconds on
    resource_graph_lag: float = 60  # assumed: "seconds to a couple of minutes"; no number is promised
    resource_graph_window: float = 5  # documented: 15 queries in it
    log_ingestion: float = 1500  # documented: 20 to 30 minutes after the vault pushed them
    container_insights_lag: float = 180  # documented: logs take 20 seconds to three minutes
