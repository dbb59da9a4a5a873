#include "broker/wire/zmtp.h"

#include <functional>

#include "broker/core/limits.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::wire;

namespace {

Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes out;
    for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
}

Bytes greeting() {
    const auto bytes = zmtp::greeting();
    return {bytes.begin(), bytes.end()};
}

Bytes short_command(std::string_view name, BytesView content) {
    Bytes out{4, static_cast<std::uint8_t>(1 + name.size() + content.size()),
              static_cast<std::uint8_t>(name.size())};
    out.insert(out.end(), name.begin(), name.end());
    out.insert(out.end(), content.begin(), content.end());
    return out;
}

Bytes property(std::string_view name, std::string_view value) {
    Bytes out{static_cast<std::uint8_t>(name.size())};
    out.insert(out.end(), name.begin(), name.end());
    for (const std::size_t shift : {24, 16, 8, 0})
        out.push_back(static_cast<std::uint8_t>(value.size() >> shift));
    out.insert(out.end(), value.begin(), value.end());
    return out;
}

Bytes long_frame(std::uint8_t flags, std::uint64_t length) {
    Bytes out{flags};
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(length >> shift));
    return out;
}

Bytes message(BytesView content) {
    Bytes out;
    zmtp::append_message(out, content);
    return out;
}

const Bytes ready = zmtp::ready_command("DEALER");

/// What a parser made of bytes, in words: one line an event, and the refusal that ended it.
std::vector<std::string> story(const std::vector<BytesView>& pieces) {
    zmtp::Parser parser{"DEALER"};
    std::vector<std::string> lines;
    const auto tell = [&](const zmtp::Event& event) {
        if (std::holds_alternative<zmtp::Ready>(event)) lines.push_back("ready");
        if (const auto* got = std::get_if<zmtp::Message>(&event))
            lines.push_back("message " + to_hex(got->content));
        if (const auto* got = std::get_if<zmtp::Ping>(&event)) lines.push_back("pong " + to_hex(got->pong));
    };
    for (const auto piece : pieces) {
        const auto fed = parser.feed(piece, tell);
        if (fed) continue;
        lines.push_back("refused " + fed.error().where);
        break;
    }
    return lines;
}

std::vector<std::string> story(BytesView whole) { return story(std::vector<BytesView>{whole}); }

std::vector<std::string> story_in_steps(BytesView whole, std::size_t step) {
    std::vector<BytesView> pieces;
    for (std::size_t at = 0; at < whole.size(); at += step)
        pieces.push_back(whole.subspan(at, std::min(step, whole.size() - at)));
    return story(pieces);
}

}  // namespace

TEST_CASE("a conversation means the same however the network cuts it", "[zmtp]") {
    Bytes medium(300, 5), large(70'000);
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * 7);
    const auto whole =
        joined({greeting(), ready, message({}), message(Bytes{1}), short_command("PING", Bytes{0, 9, 'c'}),
                message(medium), short_command("PONG", Bytes{1, 2}), message(large), message(Bytes(255, 1)),
                message(Bytes(256, 2)), short_command("PING", Bytes{0, 0})});
    const auto expected = story(whole);
    REQUIRE(expected.size() == 9);
    CHECK(expected.front() == "ready");
    CHECK(expected[1] == "message ");
    CHECK(expected[3] == "pong 040604504f4e4763");
    CHECK(expected[5] == "message " + to_hex(large));
    for (const std::size_t step : {1, 2, 3, 7, 63, 64, 65, 255, 4096}) {
        CAPTURE(step);
        CHECK(story_in_steps(whole, step) == expected);
    }
}

TEST_CASE("the greeting of libzmq 4.3.4 is accepted with its routing-id length in the signature", "[zmtp]") {
    auto bytes = greeting();
    bytes[8] = 1;  // routing id of length 0, plus one
    CHECK(story(joined({bytes, ready})) == std::vector<std::string>{"ready"});
    bytes[11] = 0;  // ZMTP 3.0
    CHECK(story(joined({bytes, ready})) == std::vector<std::string>{"ready"});
}

TEST_CASE("a greeting spoilt in one byte is refused, and at that byte", "[zmtp]") {
    struct Row {
        const char* why;
        std::size_t at;
        std::uint8_t value;
        const char* where;
    };
    const std::vector<Row> rows{
        {"not ZMTP at all",         0,  'G', "zmtp.greeting.signature"},
        {"signature not ended",     9,  0,   "zmtp.greeting.signature"},
        {"ZMTP 2.0",                10, 1,   "zmtp.greeting.version"  },
        {"a version to come",       10, 4,   "zmtp.greeting.version"  },
        {"PLAIN or CURVE",          12, 'C', "zmtp.greeting.mechanism"},
        {"NULL with a tail",        16, 'X', "zmtp.greeting.mechanism"},
        {"mechanism padding",       31, 1,   "zmtp.greeting.mechanism"},
        {"says it is the server",   32, 1,   "zmtp.greeting.filler"   },
        {"first byte of the filler", 33, 1,  "zmtp.greeting.filler"   },
        {"last byte of the filler", 63, 1,   "zmtp.greeting.filler"   },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto bytes = greeting();
        bytes[row.at] = row.value;
        const auto refused = std::vector<std::string>{std::string{"refused "} + row.where};
        CHECK(story(bytes) == refused);
        CHECK(story(BytesView{bytes}.first(row.at + 1)) == refused);
        CHECK(story_in_steps(joined({bytes, ready}), 1) == refused);
    }
}

TEST_CASE("what follows a greeting is one READY of a DEALER within bounds", "[zmtp]") {
    const auto type = property("Socket-Type", "DEALER");
    const auto identity = property("Identity", std::string(255, 'i'));
    const auto ready_of = [](const Bytes& metadata) { return short_command("READY", metadata); };
    auto long_ready = long_frame(6, 6 + type.size() + identity.size());
    const auto long_body = joined({Bytes{5, 'R', 'E', 'A', 'D', 'Y'}, type, identity});
    long_ready.insert(long_ready.end(), long_body.begin(), long_body.end());

    struct Row {
        const char* why;
        Bytes bytes;
        const char* result;
    };
    const std::vector<Row> rows{
        {"as libzmq sends it", ready_of(joined({type, property("Identity", "")})), "ready"},
        {"an identity of 255 bytes, ignored", long_ready, "ready"},
        {"names in another case", ready_of(property("socket-TYPE", "DEALER")), "ready"},
        {"a property nobody knows", ready_of(joined({property("X-Y", "z"), type})), "ready"},
        {"no socket type", ready_of({}), "refused zmtp.ready.socket_type"},
        {"another socket type", ready_of(property("Socket-Type", "ROUTER")), "refused zmtp.ready.socket_type"},
        {"the type twice", ready_of(joined({type, type})), "refused zmtp.ready.socket_type"},
        {"a name of no length", ready_of(joined({type, Bytes{0}})), "refused zmtp.ready.metadata"},
        {"a name past the end", ready_of(joined({type, Bytes{9, 'a'}})), "refused zmtp.ready.metadata"},
        {"a value past the end", ready_of(joined({type, Bytes{1, 'a', 0, 0, 0, 9}})),
         "refused zmtp.ready.metadata"},
        {"a value length of 4 GiB", ready_of(joined({type, Bytes{1, 'a', 255, 255, 255, 255}})),
         "refused zmtp.ready.metadata"},
        {"another command first", short_command("PING", Bytes{0, 0}), "refused zmtp.command"},
        {"a command of no name", Bytes{4, 0}, "refused zmtp.command.name"},
        {"a name longer than its command", Bytes{4, 2, 200, 'R'}, "refused zmtp.command.name"},
        {"the peer's own refusal", short_command("ERROR", Bytes{1, 'x'}), "refused zmtp.error"},
        {"a message before READY", message(Bytes{1}), "refused zmtp.ready: a message before it"},
        {"READY with MORE", Bytes{5, 1}, "refused zmtp.more"},
        {"a reserved flag", Bytes{0x0c, 1}, "refused zmtp.flags"},
        {"a READY without end", long_frame(6, 513), "refused zmtp.command"},
        {"a READY of 2^63 bytes", long_frame(6, 1ull << 63), "refused zmtp.command"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto whole = joined({greeting(), row.bytes});
        CHECK(story(whole) == std::vector<std::string>{row.result});
        CHECK(story_in_steps(whole, 1) == std::vector<std::string>{row.result});
    }
}

TEST_CASE("an identity of 256 bytes is refused", "[zmtp]") {
    const auto body = joined({Bytes{5, 'R', 'E', 'A', 'D', 'Y'}, property("Socket-Type", "DEALER"),
                              property("Identity", std::string(256, 'i'))});
    CHECK(story(joined({greeting(), long_frame(6, body.size()), body})) ==
          std::vector<std::string>{"refused zmtp.ready.identity"});
}

TEST_CASE("traffic outside the rules is refused, and what came before it stands", "[zmtp]") {
    struct Row {
        const char* why;
        Bytes bytes;
        const char* where;
    };
    const std::vector<Row> rows{
        {"a message of more than one frame",  Bytes{1, 1, 'x'},                             "zmtp.more"        },
        {"a long frame with MORE",            long_frame(3, 300),                           "zmtp.more"        },
        {"reserved flag 8",                   Bytes{8, 0},                                  "zmtp.flags"       },
        {"reserved flag 128",                 Bytes{128, 0},                                "zmtp.flags"       },
        {"one byte over the largest message", long_frame(2, limits::frame_size_max + 1),    "zmtp.message"     },
        {"a message of 2^63 bytes",           long_frame(2, 1ull << 63),                    "zmtp.message"     },
        {"a message of 2^64 - 1 bytes",       long_frame(2, ~0ull),                         "zmtp.message"     },
        {"a second READY",                    ready,                                        "zmtp.command"     },
        {"SUBSCRIBE",                         short_command("SUBSCRIBE", Bytes{}),          "zmtp.command"     },
        {"a command of 513 bytes",            long_frame(6, 513),                           "zmtp.command"     },
        {"a PING without its time to live",   short_command("PING", Bytes{0}),              "zmtp.ping"        },
        {"a PING with 17 bytes of context",   short_command("PING", Bytes(19, 1)),          "zmtp.ping"        },
        {"ERROR",                             short_command("ERROR", Bytes{0}),             "zmtp.error"       },
        {"a command of no name",              Bytes{4, 0},                                  "zmtp.command.name"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto whole = joined({greeting(), ready, message(Bytes{7}), row.bytes});
        const std::vector<std::string> expected{"ready", "message 07", std::string{"refused "} + row.where};
        CHECK(story(whole) == expected);
        CHECK(story_in_steps(whole, 1) == expected);
    }
}

TEST_CASE("after a refusal a parser takes no more", "[zmtp]") {
    zmtp::Parser parser{"DEALER"};
    const auto ignore = [](const zmtp::Event&) {};
    REQUIRE_FALSE(parser.feed(Bytes{'x'}, ignore));
    CHECK_FALSE(parser.feed(joined({greeting(), ready}), ignore));
    CHECK_FALSE(parser.ready());
}

TEST_CASE("the largest message passes and the parser keeps nothing of it", "[zmtp]") {
    zmtp::Parser parser{"DEALER"};
    const Bytes content(limits::frame_size_max, 3);
    std::size_t messages = 0;
    const auto each = [&](const zmtp::Event& event) {
        if (const auto* got = std::get_if<zmtp::Message>(&event)) {
            ++messages;
            CHECK(got->content.size() == content.size());
        }
    };
    REQUIRE(parser.feed(joined({greeting(), ready}), each));
    const auto bytes = message(content);
    REQUIRE(parser.feed(BytesView{bytes}.first(1000), each));
    CHECK(parser.inside_frame());
    CHECK(parser.buffered() == 1000 - 9);  // what has come, not what was announced
    REQUIRE(parser.feed(BytesView{bytes}.subspan(1000), each));
    CHECK(messages == 1);
    CHECK_FALSE(parser.inside_frame());
    REQUIRE(parser.feed({}, each));
    CHECK(parser.buffered() == 0);
}

TEST_CASE("a frame has begun with its first byte", "[zmtp]") {
    zmtp::Parser parser{"DEALER"};
    const auto ignore = [](const zmtp::Event&) {};
    REQUIRE(parser.feed(joined({greeting(), ready}), ignore));
    CHECK(parser.ready());
    CHECK_FALSE(parser.inside_frame());
    REQUIRE(parser.feed(Bytes{0}, ignore));
    CHECK(parser.inside_frame());
    REQUIRE(parser.feed(Bytes{0}, ignore));  // a message of no bytes
    CHECK_FALSE(parser.inside_frame());
}
