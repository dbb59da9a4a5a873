#include "broker/log/sign_call.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

TEST_CASE("calls to the signer and its replies come out as they went in", "[log]") {
    const SignCall last{};
    const SignCall sign{
        SignCall::Head{0x0102030405060708, Digest{1}, {Digest{2}, Digest{3}}}
    };
    for (const auto& call : {last, sign}) CHECK(SignCall::parse(call.bytes()) == call);
    const SignReply refused{SignReply::Status::refused, "head: smaller than the last one signed"};
    CHECK(SignReply::parse(refused.bytes()) == refused);
}

TEST_CASE("a packet that is no call, or no reply, is refused", "[log]") {
    const auto good = SignCall{
        SignCall::Head{
                       7, Digest{1},
                       {Digest{2}}}
    }.bytes();
    const auto [why, spoil] = GENERATE(table<const char*, void (*)(Bytes&)>({
        {"nothing",                    [](Bytes& bytes) { bytes.clear(); }                    },
        {"another protocol",           [](Bytes& bytes) { bytes[0] ^= 1; }                    },
        {"a kind nobody knows",        [](Bytes& bytes) { bytes[4] = 9; }                     },
        {"half a hash at the end",     [](Bytes& bytes) { bytes.resize(bytes.size() - 1); }   },
        {"no root",                    [](Bytes& bytes) { bytes.resize(5 + 8); }              },
        {"a longer proof than exists", [](Bytes& bytes) { bytes.resize(5 + 8 + 32 * 66); }    },
        {"an endless one",             [](Bytes& bytes) { bytes.resize(sign_packet_max + 1); }},
    }));
    CAPTURE(why);
    auto bytes = good;
    spoil(bytes);
    CHECK_FALSE(SignCall::parse(bytes));
    CHECK_FALSE(SignReply::parse(Bytes{'F', 'P', 'S', '1', 9}));
}
