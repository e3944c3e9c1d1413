"""Mistakes between infra/ and what it has to agree with: the code, azd, the reviewed rights."""

from tests.infra.mistake import CLUSTERS, JOBS, MAIN, SITE, STORAGE, TOPIC, Mistake

OF_AGREEMENT = {
    "parameter file names nothing": Mistake(
        "parameters", "main.parameters.json", r'"stopped"', '"halted"', "no parameter `halted`"
    ),
    "required parameter is not given": Mistake(
        "parameters", "main.parameters.json", r'"location"', '"stopped"', "`location` of main.bicep is required", "^"
    ),
    "another default": Mistake(
        "parameters",
        "main.parameters.json",
        r"GUARD_QUOTA_RESERVE=5",
        "GUARD_QUOTA_RESERVE=6",
        "'6' by default",
        '"quotaReserve"',
    ),
    "no environment variable": Mistake(
        "parameters",
        "main.parameters.json",
        r"\$\{AZURE_LOCATION\}",
        "$AZURE_LOCATION",
        "no environment variable",
        '"location"',
    ),
    "missing output": Mistake(
        "outputs", MAIN, r"output KEY_VAULT_NAME", "output KEY_VAULT", "the output KEY_VAULT_NAME is missing", "^"
    ),
    "custom role that stays in audit mode": Mistake(
        "custom roles",
        "app/workspace-rights.bicep",
        r"(roleDefinitions@\S+) = \{",
        r"\1 = if (mode == 'enforce') {",
        "keeps what it gave",
    ),
    "output called like a person's setting": Mistake(
        "variables", MAIN, r"output DEPLOYED_MODE", "output GUARD_MODE", "GUARD_MODE is set by a person"
    ),
    "hook reads what nobody brings": Mistake(
        "variables", "hooks/installation.py", r'"FUNCTION_APP_NAME"', '"FUNCTIONAPP_NAME"', "brings FUNCTIONAPP_NAME"
    ),
    "hook gives an unknown parameter": Mistake(
        "hooks", "hooks/postdeploy.py", r'"eventDelivery"', '"delivery"', "no parameter `delivery`", r"deploy\($"
    ),
    "setting that is not deployed": Mistake(
        "settings",
        SITE,
        r"  AKS_BACKUP_GUARD_STOPPED: .*\n",
        "",
        "AKS_BACKUP_GUARD_STOPPED is not deployed",
        "resource app",
    ),
    "setting that nobody reads": Mistake(
        "settings",
        SITE,
        r"AKS_BACKUP_GUARD_STOPPED:",
        "AKS_BACKUP_GUARD_HALTED:",
        "reads no setting AKS_BACKUP_GUARD_HALTED",
    ),
    "another default of a setting": Mistake(
        "settings", SITE, r"PASS_SECONDS: '240'", "PASS_SECONDS: '200'", "PASS_SECONDS is '200' by default"
    ),
    "connection string": Mistake(
        "settings", SITE, r"AzureWebJobsStorage__credential:", "AzureWebJobsStorage:", "a connection string is a key"
    ),
    "queue of nobody": Mistake(
        "storage",
        STORAGE,
        r"'events-poison'",
        "'events-poisoned'",
        "nobody uses the queue events-poisoned",
        "resource messageQueues",
    ),
    "table that is not made": Mistake(
        "storage", STORAGE, r"  'watermarks'\n", "", "the table watermarks is not made", "resource recordTables"
    ),
    "container that is not made": Mistake(
        "storage",
        STORAGE,
        r"'dead-letters'\n\]",
        "'letters'\n]",
        "the container dead-letters is not made",
        "blobContainerName",
        CLUSTERS,
    ),
    "another deployment container": Mistake(
        "storage", SITE, r"blobEndpoint\}deployments", "blobEndpoint}packages", "the container packages is not made", ""
    ),
    "event type of nobody": Mistake(
        "events",
        CLUSTERS,
        r"ResourceActionSuccess",
        "ResourceActionFailure",
        "does not take the event type",
        "resource events",
    ),
    "operation that is not let through": Mistake(
        "events",
        CLUSTERS,
        r"'Microsoft.Resources/tags/write'",
        "",
        "operation name Microsoft.Resources/tags/write",
        "resource events",
    ),
    "job event of nobody": Mistake(
        "events",
        JOBS,
        r"'AksBackupGuard.BackupJobFailed'",
        "'AksBackupGuard.JobFailed'",
        "the event type AksBackupGuard.JobFailed",
        "resource events",
    ),
    "endpoint that is no function": Mistake(
        "events",
        CLUSTERS,
        r"/functions/cluster_events",
        "/functions/clusterevents",
        "no Event Grid function 'clusterevents'",
    ),
    "queue of an event subscription": Mistake(
        "events", CLUSTERS, r"queueName: 'events'", "queueName: 'event'", "no function takes from the queue 'event'"
    ),
    "no dead letters": Mistake(
        "events",
        JOBS,
        r"endpointType: 'StorageBlob'",
        "endpointType: 'StorageQueue'",
        "no destination of the kind StorageBlob",
        "resource events",
    ),
    "always ready for no function": Mistake(
        "endpoints", SITE, r"function:cluster_events", "function:cluster_event", "no function 'cluster_event'"
    ),
    "route of nobody": Mistake(
        "endpoints", "app/authentication.bicep", r"/api/health'", "/api/healthy'", "answers /api/healthy"
    ),
    "wrong role": Mistake(
        "rights",
        "app/own-rights.bicep",
        r"974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb89",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb89 is not in app.json",
        "resource queuesOfApp",
    ),
    "reviewed role that nobody gives": Mistake(
        "rights", "rights/app.json", r"3913510d-42f4", "3913510e-42f4", "nothing in infra/ gives Monitoring Metrics"
    ),
    "administrator without condition": Mistake(
        "rights",
        "fleet/subscription.bicep",
        r"    condition: .*\n",
        "",
        "without its condition",
        "resource roleAdministration",
    ),
    "another condition": Mistake(
        "rights",
        "fleet/snapshot-group.bicep",
        r"assign-contributor",
        "assign-roles",
        "without its condition",
        "resource contributorAdministration",
    ),
    "another action": Mistake(
        "custom roles",
        "fleet/subscription.bicep",
        r"actions: actions",
        "actions: concat(actions, ['*'])",
        r"\['\*'\] is not what",
        "resource role ",
    ),
    "one more path without a token": Mistake(
        "access", "app/authentication.bicep", r"\['/api/health',", "['/api', '/api/health',", "the excluded paths are"
    ),
    "no token is needed": Mistake(
        "access",
        "app/authentication.bicep",
        r"requireAuthentication: true",
        "requireAuthentication: false",
        "authentication must be required",
    ),
    "app role of nobody": Mistake(
        "access",
        "hooks/app-roles.json",
        r"AksBackupGuard.Reader",
        "AksBackupGuard.Reeder",
        "no app role AksBackupGuard.Reeder",
        "^",
    ),
    "another Python": Mistake(
        "runtime", SITE, r"version: '3.13'", "version: '3.11'", "the runtime is not Python", r"runtime: \{"
    ),
    "shared keys": Mistake(
        "keys",
        STORAGE,
        r"allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "`allowSharedKeyAccess` must be false",
    ),
    "key of the topic": Mistake(
        "keys", TOPIC, r"    disableLocalAuth: true\n", "", "`disableLocalAuth` must be true", "resource topic"
    ),
    "key is asked for": Mistake(
        "keys", STORAGE, r"tags: tags", "tags: { key: account.listKeys().keys[0].value }", "asks for a key"
    ),
}
