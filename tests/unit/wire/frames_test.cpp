#include "broker/wire/frames.h"

#include <functional>

#include "tests/support/catch.h"

using namespace flagpost;

namespace {

Bytes an_envelope() {
    wire::Draft draft{schemas::Kind::incident, "incidents/31", "NP-1", "", {}, {}, Bytes(100, 7)};
    return wire::make_envelope(draft, Id16{1}, Id16{2}, from_us(1'700'000'000'000'000));
}

schemas::OriginValue an_origin() {
    schemas::OriginValue origin;
    origin.signature.assign(70, 1);
    origin.size = 1;
    return origin;
}

}  // namespace

TEST_CASE("an envelope reads back as it was written", "[wire]") {
    const auto bytes = an_envelope();
    const auto envelope = wire::read_envelope(bytes);
    REQUIRE(envelope);
    CHECK(envelope->kind == schemas::Kind::incident);
    CHECK(envelope->topic == "incidents/31");
    CHECK(envelope->id == Id16{1});
    CHECK(to_us(envelope->created) == 1'700'000'000'000'000);
    CHECK(envelope->payload.size() == 100);
}

TEST_CASE("every truncation of a frame is refused", "[wire]") {
    const auto frame = wire::publish_frame(an_envelope(), an_origin());
    REQUIRE(wire::read_frame(frame));
    for (std::size_t size = 0; size < frame.size(); ++size) {
        const auto result = wire::read_frame(BytesView{frame}.first(size));
        REQUIRE_FALSE(result);
        REQUIRE(result.error().reason == Reason::malformed);
    }
}

TEST_CASE("a frame spoilt in one place is refused for that place", "[wire]") {
    struct Row {
        const char* why;
        std::function<void(schemas::OriginValue&)> spoil;
        const char* where;
    };
    const std::vector<Row> rows{
        {"no batch",                [](auto& o) { o.size = 0; },                "publish.origin.index"    },
        {"batch over the limit",    [](auto& o) { o.size = 65; },               "publish.origin.index"    },
        {"place outside the batch", [](auto& o) { o.index = 1; },               "publish.origin.index"    },
        {"signature too long",      [](auto& o) { o.signature.assign(81, 0); }, "publish.origin.signature"},
        {"a hash of 31 bytes",
         [](auto& o) {
             o.path.push_back(std::make_unique<schemas::HashValue>());
             o.path.back()->bytes.assign(31, 0);
         },                                                                     "publish.origin.path"     },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto origin = an_origin();
        row.spoil(origin);
        const auto result = wire::read_frame(wire::publish_frame(an_envelope(), origin));
        REQUIRE_FALSE(result);
        CHECK(result.error().where == row.where);
    }
}

TEST_CASE("a frame whose body is of no known type is refused", "[wire]") {
    flatbuffers::FlatBufferBuilder builder;
    const auto body = schemas::CreateGoodbyeDirect(builder, schemas::Reason::idle, "idle");
    const auto unknown = static_cast<schemas::Body>(static_cast<int>(schemas::Body::MAX) + 1);
    builder.Finish(schemas::CreateFrame(builder, unknown, body.Union()), schemas::FrameIdentifier());
    const auto result = wire::read_frame({builder.GetBufferPointer(), builder.GetSize()});
    REQUIRE_FALSE(result);
    CHECK(result.error().where == "frame.body");
}

TEST_CASE("a topic has only letters, digits, slashes, dots and hyphens", "[wire]") {
    const auto topic = GENERATE("", "incidents/31 ", "incidents/\n31", "incidents/*");
    wire::Draft draft{schemas::Kind::incident, topic, "", "", {}, {}, {}};
    const auto bytes = wire::make_envelope(draft, Id16{}, Id16{}, Instant{});
    const auto result = wire::read_envelope(bytes);
    REQUIRE_FALSE(result);
    CHECK(result.error().where == "envelope.topic");
}

TEST_CASE("refusal reasons have the same numbers in the schema and in the code", "[wire]") {
    for (const auto reason : schemas::EnumValuesReason())
        CHECK(std::string{schemas::EnumNameReason(reason)} == name(static_cast<Reason>(reason)));
    CHECK(std::size(schemas::EnumValuesReason()) == 27);
}
