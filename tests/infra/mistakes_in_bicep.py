"""Mistakes in Bicep itself: syntax, names, modules, and Azure's types."""

from tests.infra.mistake import CLUSTERS, MAIN, SITE, STORAGE, TOPIC, Mistake

IN_BICEP = {
    "syntax error": Mistake("syntax", STORAGE, r"kind: 'StorageV2'", "kind: 'StorageV2", "syntax error"),
    "nobody deploys it": Mistake(
        "structure", MAIN, r"'app/topic.bicep'", "'app/identity.bicep'", "nobody deploys this file", "^", TOPIC
    ),
    "module without file": Mistake("structure", MAIN, r"'app/topic.bicep'", "'app/topik.bicep'", "no file app/topik"),
    "unknown module parameter": Mistake(
        "structure",
        MAIN,
        r"zoneRedundant: zoneRedundant",
        "zoneRedundand: zoneRedundant",
        "no parameter `zoneRedundand`",
    ),
    "missing module parameter": Mistake(
        "structure",
        MAIN,
        r"deadLetterRetentionDays: deadLetterRetentionDays",
        "// nothing",
        "`deadLetterRetentionDays` of app/storage.bicep is required",
        "module storage",
    ),
    "wrong kind of argument": Mistake(
        "structure",
        MAIN,
        r"deadLetterRetentionDays: deadLetterRetentionDays",
        "deadLetterRetentionDays: 'ten'",
        "is of type int",
    ),
    "argument that is not allowed": Mistake(
        "structure", MAIN, r"eventDelivery: eventDelivery", "eventDelivery: 'pigeon'", "is one of"
    ),
    "module in the wrong scope": Mistake(
        "structure",
        MAIN,
        r"(module topic .*\n(?:.*\n)*?)  scope: group\n",
        r"\1",
        "calls it in a subscription",
        "module topic",
    ),
    "undeclared reference": Mistake(
        "structure", STORAGE, r"parent: account\b", "parent: acount", "`acount` is not declared"
    ),
    "unused parameter": Mistake(
        "structure", STORAGE, r"for table in tables", "for table in queues", "`tables` is never used", "var tables"
    ),
    "parameter without description": Mistake(
        "structure",
        TOPIC,
        r"@description\('Name of the topic.'\)",
        "// a name",
        "`name` has no @description",
        "param name",
    ),
    "unknown function": Mistake(
        "structure", MAIN, r"= uniqueString\(", "= uniquestring(", "no function `uniquestring`"
    ),
    "unknown output": Mistake(
        "structure", MAIN, r"topic\.outputs\.endpoint$", "topic.outputs.address", "no output `address`"
    ),
    "wrong parent": Mistake(
        "structure", STORAGE, r"parent: queueService\b", "parent: account", "no parent of", "resource messageQueues"
    ),
    "file to load is not there": Mistake(
        "structure", "fleet/subscription.bicep", r"actions\.json", "action.json", "no file ../rights/action.json"
    ),
    "no comma": Mistake("syntax", STORAGE, r"param tags object", "param tags object = { a: 1 b: 2 }", "no comma"),
    "operator on a new line": Mistake(
        "syntax", MAIN, r"empty\(named\) && ", "empty(named)\n  && ", "new line", r"^  &&"
    ),
    "name that is known too late": Mistake(
        "compiler",
        MAIN,
        r"= if \(privateNetwork\)",
        "= if (!empty(topic.outputs.id))",
        "the condition of `network` is not known",
    ),
    "loop in a call": Mistake(
        "compiler",
        STORAGE,
        r"^var queues = \[",
        "var more = concat([], [for t in tables: t])\nvar queues = [",
        "a loop cannot stand here",
    ),
    "no index": Mistake(
        "compiler", STORAGE, r"= account\.id$", "= messageQueues.id", "`messageQueues` is made in a loop"
    ),
    "function out of its scope": Mistake(
        "compiler",
        MAIN,
        r"uniqueString\(subscription\(\)\.id",
        "uniqueString(resourceGroup().id",
        "cannot be called in a subscription",
    ),
    "function without that property": Mistake(
        "compiler", MAIN, r"subscription\(\)\.subscriptionId", "subscription().guid", "has no `guid`"
    ),
    "resource of another scope": Mistake(
        "compiler", "app/own-rights.bicep", r"  scope: topic$", "  scope: resourceGroup('other')", "takes a module"
    ),
    "default made of a variable": Mistake(
        "compiler", TOPIC, r"param name string", "param name string = topic.name", "made of parameters only"
    ),
    "argument of another kind": Mistake(
        "compiler",
        MAIN,
        r"deadLetterRetentionDays: deadLetterRetentionDays",
        "deadLetterRetentionDays: alertEmail",
        "is of type int, what is given string",
    ),
    "depends on no resource": Mistake(
        "compiler",
        "events/main.bicep",
        r"dependsOn: \[systemTopic, systemTopicRights\]",
        "dependsOn: [systemTopic, 'systemTopicRights']",
        "depends on what is no resource",
    ),
    "property that is not answered": Mistake(
        "references", TOPIC, r"topic\.properties\.endpoint", "topic.properties.url", "no property `properties.url`"
    ),
    "name that is too long": Mistake(
        "types",
        MAIN,
        r"'stguard\$\{",
        "'stofthebackupguard${",
        "`name` \\(31\\) is outside",
        "^  name: name$",
        STORAGE,
    ),
    "name with a letter that may not be": Mistake(
        "types", MAIN, r"'stguard\$\{", "'st-guard${", "`name`, for example st-guard", "^  name: name$", STORAGE
    ),
    "parameter of another type": Mistake(
        "types", SITE, r"httpsOnly: true", "httpsOnly: configuration", "`properties.httpsOnly` is of type string"
    ),
    "unknown resource type": Mistake(
        "types", STORAGE, r"Accounts/tableServices/tables@", "Accounts/tableServices/tabels@", "no resource type"
    ),
    "wrong api-version": Mistake("types", TOPIC, r"topics@2025-02-15", "topics@2022-06-15", "api-version 2022-06-15"),
    "unknown property": Mistake(
        "types", TOPIC, r"inputSchema:", "inputSchemas:", "no property `properties.inputSchemas`"
    ),
    "property in the wrong case": Mistake("types", TOPIC, r"inputSchema:", "inputschema:", "but `inputSchema`"),
    "property too deep": Mistake(
        "types",
        SITE,
        r"runtime: \{",
        "runtime: {\n        flavour: 'x'",
        "no property `properties.functionAppConfig.runtime.flavour`",
        "flavour",
    ),
    "read-only property": Mistake(
        "types",
        TOPIC,
        r"inputSchema:",
        "provisioningState: 'Succeeded'\n    inputSchema:",
        "`properties.provisioningState` is read-only",
    ),
    "missing required property": Mistake(
        "types", STORAGE, r"  kind: 'StorageV2'\n", "", "`kind` is required", "resource account"
    ),
    "value outside the enumeration": Mistake(
        "types", STORAGE, r"'StorageV2'", "'StorageV3'", "`kind` is not 'StorageV3'"
    ),
    "value of a choice": Mistake(
        "types", STORAGE, r"'Standard_ZRS'", "'Standard_ZRZ'", "`sku.name` is not 'Standard_ZRZ'"
    ),
    "text for a truth value": Mistake(
        "types",
        TOPIC,
        r"disableLocalAuth: true",
        "disableLocalAuth: 'true'",
        "`properties.disableLocalAuth` is no text",
    ),
    "wrong discriminator": Mistake("types", CLUSTERS, r"'StringIn'", "'StringsIn'", "`operatorType` is one of"),
    "property of another kind": Mistake("types", CLUSTERS, r"queueName:", "queueNames:", "no property .*queueNames"),
    "wrong in a type told by hand": Mistake(
        "types",
        TOPIC,
        r"category: 'AllMetrics'",
        "categoryGroup: 'AllMetrics'",
        "no property `properties.metrics\\[\\].categoryGroup`",
    ),
    "resource in the wrong scope": Mistake(
        "types",
        MAIN,
        r"(Microsoft.)Resources/resourceGroups@2025-04-01",
        r"\1ManagedIdentity/userAssignedIdentities@2024-11-30",
        "is deployed to ResourceGroup",
    ),
}
