"""`custodian run` once for each subscription, in one process, against a simulated Azure; run by the interpreter of
.tools/custodian. Nothing of Custodian is changed: it is told another cloud, and azure-core to let a token go over http.

    launcher.py POLICY ARM_URL SUBSCRIPTIONS_FILE OUTPUT_DIR

The token comes in AZURE_ACCESS_TOKEN. The last line on stdout is one JSON object: how many clusters matched, in how
many subscriptions."""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    policy, arm, subscriptions, output = sys.argv[1:]
    from azure.core.pipeline.policies import _authentication
    from c7n import cli  # type: ignore[import-not-found]
    from msrestazure.azure_cloud import AZURE_PUBLIC_CLOUD  # type: ignore[import-not-found]

    AZURE_PUBLIC_CLOUD.endpoints.resource_manager = arm
    _authentication._enforce_https = lambda request: None
    os.environ["AZURE_TENANT_ID"] = "10000000-0000-0000-0000-000000000001"
    matched, asked = 0, 0
    for subscription in Path(subscriptions).read_text(encoding="utf-8").split():
        os.environ["AZURE_SUBSCRIPTION_ID"] = subscription
        sys.argv = ["custodian", "run", "--cache-period", "0", "-s", f"{output}/{subscription}", policy]
        try:
            cli.main()
        except SystemExit as ended:
            if ended.code:
                raise
        (result,) = Path(output, subscription).glob("*/resources.json")
        matched += len(json.loads(result.read_text(encoding="utf-8")))
        asked += 1
    print(json.dumps({"matched": matched, "subscriptions": asked}))


if __name__ == "__main__":
    main()
