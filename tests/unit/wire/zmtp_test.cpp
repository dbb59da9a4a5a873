#include "broker/wire/zmtp.h"

#include <functional>

#include "broker/core/limits.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::wire;

namespace {

template <class... Part> Bytes joined(const Part&... parts) {
    Bytes out;
    (out.insert(out.end(), parts.begin(), parts.end()), ...);
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
        joined(greeting(), ready, message({}), message(Bytes{1}), short_command("PING", Bytes{0, 9, 'c'}),
               message(medium), short_command("PONG", Bytes{1, 2}), message(large), message(Bytes(255, 1)),
               message(Bytes(256, 2)), short_command("PING", Bytes{0, 0}));
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
    CHECK(story(joined(bytes, ready)) == std::vector<std::string>{"ready"});
    bytes[11] = 0;  // ZMTP 3.0
    CHECK(story(joined(bytes, ready)) == std::vector<std::string>{"ready"});
}

TEST_CASE("a greeting spoilt in one byte is refused, and at that byte", "[zmtp]") {
    struct Row {
        const char* why;
        std::size_t at;
        std::uint8_t value;
        const char* where;
    };
    const std::vector<Row> rows{
        {"not ZMTP at all",          0,  'G', "zmtp.greeting.signature"},
        {"signature not ended",      9,  0,   "zmtp.greeting.signature"},
        {"ZMTP 2.0",                 10, 1,   "zmtp.greeting.version"  },
        {"a version to come",        10, 4,   "zmtp.greeting.version"  },
        {"PLAIN or CURVE",           12, 'C', "zmtp.greeting.mechanism"},
        {"NULL with a tail",         16, 'X', "zmtp.greeting.mechanism"},
        {"mechanism padding",        31, 1,   "zmtp.greeting.mechanism"},
        {"says it is the server",    32, 1,   "zmtp.greeting.filler"   },
        {"first byte of the filler", 33, 1,   "zmtp.greeting.filler"   },
        {"last byte of the filler",  63, 1,   "zmtp.greeting.filler"   },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto bytes = greeting();
        bytes[row.at] = row.value;
        const auto refused = std::vector<std::string>{std::string{"refused "} + row.where};
        CHECK(story(bytes) == refused);
        CHECK(story(BytesView{bytes}.first(row.at + 1)) == refused);
        CHECK(story_in_steps(joined(bytes, ready), 1) == refused);
    }
}

TEST_CASE("what follows a greeting is one READY of a DEALER within bounds", "[zmtp]") {
    const auto type = property("Socket-Type", "DEALER");
    const auto identity = property("Identity", std::string(255, 'i'));
    const auto no_identity = property("Identity", "");
    const auto unknown = property("X-Y", "z");
    const auto router = property("Socket-Type", "ROUTER");
    const auto other_case = property("socket-TYPE", "DEALER");
    const auto ready_of = [](const Bytes& metadata) { return short_command("READY", metadata); };
    auto long_ready = long_frame(6, 6 + type.size() + identity.size());
    const auto long_body = joined(Bytes{5, 'R', 'E', 'A', 'D', 'Y'}, type, identity);
    long_ready.insert(long_ready.end(), long_body.begin(), long_body.end());

    const Bytes short_value{1, 'a', 0, 0, 0, 9}, vast_value{1, 'a', 255, 255, 255, 255};
    const Bytes no_name{0}, name_past_end{9, 'a'}, no_context{0, 0}, nameless{4, 0};
    const Bytes reason{1, 'x'}, one_byte{1}, name_too_long{4, 2, 200, 'R'};
    const Bytes ready_with_more{5, 1}, reserved_flag{0x0c, 1}, nothing;
    const auto after_greeting = [](const char* why, const Bytes& bytes, const std::string& result) {
        CAPTURE(why);
        const auto whole = joined(greeting(), bytes);
        CHECK(story(whole) == std::vector<std::string>{result});
        CHECK(story_in_steps(whole, 1) == std::vector<std::string>{result});
    };
    after_greeting("as libzmq sends it", ready_of(joined(type, no_identity)), "ready");
    after_greeting("an identity of 255 bytes, ignored", long_ready, "ready");
    after_greeting("names in another case", ready_of(other_case), "ready");
    after_greeting("a property nobody knows", ready_of(joined(unknown, type)), "ready");
    after_greeting("no socket type", ready_of(nothing), "refused zmtp.ready.socket_type");
    after_greeting("another socket type", ready_of(router), "refused zmtp.ready.socket_type");
    after_greeting("the type twice", ready_of(joined(type, type)), "refused zmtp.ready.socket_type");
    after_greeting("a name of no length", ready_of(joined(type, no_name)), "refused zmtp.ready.metadata");
    after_greeting("a name past the end", ready_of(joined(type, name_past_end)),
                   "refused zmtp.ready.metadata");
    after_greeting("a value past the end", ready_of(joined(type, short_value)),
                   "refused zmtp.ready.metadata");
    after_greeting("a value length of 4 GiB", ready_of(joined(type, vast_value)),
                   "refused zmtp.ready.metadata");
    after_greeting("another command first", short_command("PING", no_context), "refused zmtp.command");
    after_greeting("a command of no name", nameless, "refused zmtp.command.name");
    after_greeting("a name longer than its command", name_too_long, "refused zmtp.command.name");
    after_greeting("the peer's own refusal", short_command("ERROR", reason), "refused zmtp.error");
    after_greeting("a message before READY", message(one_byte), "refused zmtp.ready.missing");
    after_greeting("READY with MORE", ready_with_more, "refused zmtp.more");
    after_greeting("a reserved flag", reserved_flag, "refused zmtp.flags");
    after_greeting("a READY without end", long_frame(6, 513), "refused zmtp.command");
    after_greeting("a READY of 2^63 bytes", long_frame(6, 1ull << 63), "refused zmtp.command");
}

TEST_CASE("an identity of 256 bytes is refused", "[zmtp]") {
    const auto body = joined(Bytes{5, 'R', 'E', 'A', 'D', 'Y'}, property("Socket-Type", "DEALER"),
                             property("Identity", std::string(256, 'i')));
    CHECK(story(joined(greeting(), long_frame(6, body.size()), body)) ==
          std::vector<std::string>{"refused zmtp.ready.identity"});
}

TEST_CASE("traffic outside the rules is refused, and what came before it stands", "[zmtp]") {
    struct Row {
        const char* why;
        Bytes bytes;
        const char* where;
    };
    const std::vector<Row> rows{
        {"a message of more than one frame", Bytes{1, 1, 'x'},     "zmtp.more"                               },
        {"a long frame with MORE",           long_frame(3,         300),                                       "zmtp.more"},
        {"reserved flag 8",                                  Bytes{8, 0},                                      "zmtp.flags"                                   },
        {"reserved flag 128",                                  Bytes{128, 0},                                    "zmtp.flags"},
        {"one byte over the largest message",                                  long_frame(2,                    limits::frame_size_max + 1),                     "zmtp.message"},
        {"a message of 2^63 bytes",                    long_frame(2,                                        1ull << 63),                                      "zmtp.message"},
        {"a message of 2^64 - 1 bytes",                       long_frame(2,~0ull),"zmtp.message"},
        {"a second READY",ready,                         "zmtp.command"                                                          },
        {"SUBSCRIBE",                   short_command("SUBSCRIBE",                                   Bytes{}),                                       "zmtp.command"},
        {"a command of 513 bytes",                        long_frame(6, 513), "zmtp.command"},
        {"a PING without its time to live",                                  short_command("PING",                               Bytes{0}),                                      "zmtp.ping"},
        {"a PING with 17 bytes of context",                    short_command("PING",                                        Bytes(19,                                                  1)), "zmtp.ping"},
        {"ERROR",                         short_command("ERROR",    Bytes{0}),         "zmtp.error"},
        {"a command of no name",Bytes{4, 0},"zmtp.command.name"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto whole = joined(greeting(), ready, message(Bytes{7}), row.bytes);
        const std::vector<std::string> expected{"ready", "message 07", std::string{"refused "} + row.where};
        CHECK(story(whole) == expected);
        CHECK(story_in_steps(whole, 1) == expected);
    }
}

TEST_CASE("after a refusal a parser takes no more", "[zmtp]") {
    zmtp::Parser parser{"DEALER"};
    const auto ignore = [](const zmtp::Event&) {};
    REQUIRE_FALSE(parser.feed(Bytes{'x'}, ignore));
    CHECK_FALSE(parser.feed(joined(greeting(), ready), ignore));
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
    REQUIRE(parser.feed(joined(greeting(), ready), each));
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
    REQUIRE(parser.feed(joined(greeting(), ready), ignore));
    CHECK(parser.ready());
    CHECK_FALSE(parser.inside_frame());
    REQUIRE(parser.feed(Bytes{0}, ignore));
    CHECK(parser.inside_frame());
    REQUIRE(parser.feed(Bytes{0}, ignore));  // a message of no bytes
    CHECK_FALSE(parser.inside_frame());
}
