/// What comes over the socket between broker and signer, either way.
#include <algorithm>

#include "broker/log/sign_call.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input{data, size};
    if (const auto call = log::SignCall::parse(input))
        fuzz::hold(std::ranges::equal(call->bytes(), input), "a call has one spelling");
    if (const auto reply = log::SignReply::parse(input))
        fuzz::hold(std::ranges::equal(reply->bytes(), input), "a reply has one spelling");
    return 0;
}
