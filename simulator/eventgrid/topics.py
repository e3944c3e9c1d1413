"""System topics and custom topics over ARM."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, location_required, resource_not_found
from simulator.arm.paging import page
from simulator.arm.route import Call
from simulator.eventgrid.identities import NONE, identity_block
from simulator.eventgrid.models import CLOUD_EVENT_SCHEMA, EVENT_GRID_SCHEMA, CustomTopic, SystemTopic
from simulator.eventgrid.operations import Operations
from simulator.eventgrid.responses import custom_topic_body, system_topic_body
from simulator.eventgrid.specifications import check_name, refused
from simulator.http import Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_SOURCE_SEGMENTS = {"microsoft.resources.subscriptions": 2, "microsoft.resources.resourcegroups": 4}
_TOP, _MOST = 20, 100  # documented: $top


class Topics:
    """Topics by lower-case id."""

    def __init__(self, cloud: "Cloud", operations: Operations) -> None:
        self._cloud, self._operations = cloud, operations
        self.system: dict[str, SystemTopic] = {}
        self.custom: dict[str, CustomTopic] = {}

    def named(self, name: str) -> CustomTopic | None:
        """The custom topic of that name: names are part of a host name, so there is one."""
        return next((topic for topic in self.custom.values() if topic.name.lower() == name.lower()), None)

    def identity_of(self, topic_id: str) -> Mapping[str, Any]:
        """The identity block of a topic; none of a scope that is no topic."""
        key = topic_id.lower()
        topic = self.system.get(key) or self.custom.get(key)
        return NONE if topic is None else topic.identity

    def remove(self, key: str) -> SystemTopic | CustomTopic | None:
        removed = self.system.pop(key, None) or self.custom.pop(key, None)
        if removed is not None:
            self._cloud.managed_identity.forget(removed.identity)
        return removed

    # System topics

    def put_system(self, call: Call) -> Response:
        body, name = call.body(), call.params["topic"]
        check_name(name)
        location, properties = _located(body)
        source, topic_type = str(properties.get("source") or ""), str(properties.get("topicType") or "")
        segments = _SOURCE_SEGMENTS.get(topic_type.lower())
        if segments is None:
            raise refused(f"The topicType '{topic_type}' is not one this simulator models: Microsoft.Resources.*.")
        if len(source.strip("/").split("/")) != segments or not source.lower().startswith("/subscriptions/"):
            raise refused(f"The source '{source}' does not fit the topic type {topic_type}.")
        if location.lower() != "global":  # assumed text
            raise refused(f"The location '{location}' is invalid for topic type {topic_type}: it must be 'global'.")
        key = call.resource_id.lower()
        existing = self.system.get(key)
        if existing is not None and existing.source.lower() != source.lower():
            raise refused("System topic source cannot be modified.")
        for other_key, other in self.system.items():
            if other_key != key and other.source.lower() == source.lower():
                raise refused(
                    f"There is an existing tracked system topic for the given source {source}. "
                    "Only one system topic is allowed per source."
                )
        metric = existing.metric_resource_id if existing else str(self._cloud.new_uuid())
        identity = identity_block(call, body, existing.identity if existing else NONE)
        topic = SystemTopic(call.resource_id, name, location, _tags(body), source, topic_type, metric, identity)
        self.system[key] = topic
        self._track(topic.id, "Microsoft.EventGrid/systemTopics", topic.location, topic.tags)
        return Response(200, system_topic_body(topic))  # recorded: global system topics are made at once

    def get_system(self, call: Call) -> Response:
        return Response(200, system_topic_body(self._system(call)))

    def patch_system(self, call: Call) -> Response:
        topic, body = self._system(call), call.body()
        if "tags" in body:
            topic.tags = _tags(body)
        topic.identity = identity_block(call, body, topic.identity)
        self._track(topic.id, "Microsoft.EventGrid/systemTopics", topic.location, topic.tags)
        return Response(200, system_topic_body(topic))

    def list_system(self, call: Call) -> Response:
        return listed(call, [system_topic_body(topic) for topic in self.system.values() if _within(topic.id, call)])

    def _system(self, call: Call) -> SystemTopic:
        topic = self.system.get(call.resource_id.lower())
        if topic is None:
            raise not_found(call.resource_id)
        return topic

    # Custom topics

    def put_custom(self, call: Call) -> Response:
        body, name = call.body(), call.params["topic"]
        check_name(name)
        location, properties = _located(body, properties_required=False)
        key = call.resource_id.lower()
        existing = self.custom.get(key)
        schema = properties.get("inputSchema") or (existing.input_schema if existing else EVENT_GRID_SCHEMA)
        if schema not in (EVENT_GRID_SCHEMA, CLOUD_EVENT_SCHEMA):
            raise refused(f"The inputSchema '{schema}' is not modelled: {EVENT_GRID_SCHEMA} or {CLOUD_EVENT_SCHEMA}.")
        if existing is not None and (existing.input_schema, existing.location) != (schema, location):
            raise refused("The inputSchema and the location of a topic cannot be changed.")  # assumed text
        if existing is None and self.named(name) is not None:
            raise ArmError(409, "Conflict", f"The topic name '{name}' is already in use.")  # assumed
        topic = CustomTopic(
            id=call.resource_id,
            name=name,
            location=location,
            tags=_tags(body),
            input_schema=schema,
            endpoint=f"{call.request.base_url}/eventgrid/topics/{name}/api/events",
            disable_local_auth=bool(properties.get("disableLocalAuth", False)),
            public_network_access=_network_access(properties),
            keys=dict(existing.keys) if existing else {"key1": self._key(), "key2": self._key()},
            metric_resource_id=existing.metric_resource_id if existing else str(self._cloud.new_uuid()),
            identity=identity_block(call, body, existing.identity if existing else NONE),
            provisioning_state="Updating" if existing else "Creating",
        )
        self.custom[key] = topic
        self._track(topic.id, "Microsoft.EventGrid/topics", topic.location, topic.tags)
        operation = self._operations.start()

        def finish() -> None:
            topic.provisioning_state = operation.status = "Succeeded"

        self._cloud.clock.call_later(self._cloud.timings.event_grid_write, finish)
        return Response(201, custom_topic_body(topic), self._operations.headers(call, operation, location))

    def get_custom(self, call: Call) -> Response:
        return Response(200, custom_topic_body(self._custom(call)))

    def patch_custom(self, call: Call) -> Response:
        topic, body = self._custom(call), call.body()
        if "tags" in body:
            topic.tags = _tags(body)
        topic.identity = identity_block(call, body, topic.identity)
        properties = body.get("properties") or {}
        topic.disable_local_auth = bool(properties.get("disableLocalAuth", topic.disable_local_auth))
        topic.public_network_access = _network_access(
            {"publicNetworkAccess": topic.public_network_access, **properties}
        )
        self._track(topic.id, "Microsoft.EventGrid/topics", topic.location, topic.tags)
        return Response(200, custom_topic_body(topic))

    def list_custom(self, call: Call) -> Response:
        return listed(call, [custom_topic_body(topic) for topic in self.custom.values() if _within(topic.id, call)])

    def list_keys(self, call: Call) -> Response:
        return Response(200, dict(self._custom(call).keys))

    def regenerate_key(self, call: Call) -> Response:
        topic, name = self._custom(call), str(call.body().get("keyName"))
        if name not in topic.keys:
            raise refused(f"The keyName '{name}' is invalid: key1 or key2.")
        topic.keys[name] = self._key()
        return Response(200, dict(topic.keys))

    def _custom(self, call: Call) -> CustomTopic:
        topic = self.custom.get(call.resource_id.lower())
        if topic is None:
            raise not_found(call.resource_id)
        return topic

    def _key(self) -> str:
        return base64.b64encode(self._cloud.random.randbytes(32)).decode()

    def _track(self, resource_id: str, kind: str, location: str, tags: Mapping[str, str]) -> None:
        self._cloud.resources.track(resource_id, kind, location, tags, lambda: self._body(resource_id.lower()))

    def _body(self, key: str) -> dict[str, Any]:
        return system_topic_body(self.system[key]) if key in self.system else custom_topic_body(self.custom[key])


def not_found(topic_id: str) -> ArmError:
    segments = topic_id.strip("/").split("/")
    return resource_not_found("/".join(segments[5:]), segments[3])


def listed(call: Call, bodies: list[dict[str, Any]]) -> Response:
    """A page of `$top` (20 unless said, at most 100)."""
    top = call.request.query.get("$top", "")
    return page(call, bodies, min(max(int(top), 1), _MOST) if top.isdigit() else _TOP)


def _within(resource_id: str, call: Call) -> bool:
    scope = call.request.path.lower().partition("/providers/microsoft.eventgrid")[0]
    return resource_id.lower().startswith(scope + "/")


def _located(body: Mapping[str, Any], *, properties_required: bool = True) -> tuple[str, Mapping[str, Any]]:
    location, properties = body.get("location"), body.get("properties")
    if not isinstance(location, str) or not location:
        raise location_required()
    if properties is None and not properties_required:
        properties = {}
    if not isinstance(properties, dict):
        raise refused("The property 'properties' is required and must be an object.")
    return location, properties


def _tags(body: Mapping[str, Any]) -> dict[str, str]:
    tags = body.get("tags") or {}
    if not isinstance(tags, dict):
        raise refused("tags must be an object.")
    return {str(name): str(value) for name, value in tags.items()}


def _network_access(properties: Mapping[str, Any]) -> str:
    value = str(properties.get("publicNetworkAccess") or "Enabled").capitalize()
    if value not in ("Enabled", "Disabled"):
        raise refused("publicNetworkAccess must be Enabled or Disabled.")
    return value
