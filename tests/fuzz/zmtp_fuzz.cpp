/// ZMTP as the gate parses it, straight from the TLS stream: the same events however the bytes are cut.
#include "broker/core/limits.h"
#include "broker/wire/zmtp.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;
namespace zmtp = wire::zmtp;

namespace {

struct Seen {
    std::vector<Bytes> events;
    std::optional<Refusal> refusal;
    friend bool operator==(const Seen&, const Seen&) = default;
};

Bytes tagged(char tag, BytesView bytes) {
    Bytes out{static_cast<std::uint8_t>(tag)};
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
}

Bytes content_of(const zmtp::Event& event) {
    if (const auto* message = std::get_if<zmtp::Message>(&event)) return tagged('m', message->content);
    if (const auto* ping = std::get_if<zmtp::Ping>(&event)) return tagged('p', ping->pong);
    return tagged('r', {});
}

Seen parse(BytesView bytes, std::size_t piece) {
    zmtp::Parser parser{"DEALER"};
    Seen seen;
    while (!bytes.empty() && !seen.refusal) {
        const auto now = bytes.first(std::min(piece, bytes.size()));
        bytes = bytes.subspan(now.size());
        const auto fed =
            parser.feed(now, [&](const zmtp::Event& event) { seen.events.push_back(content_of(event)); });
        if (!fed) seen.refusal = fed.error();
        fuzz::hold(parser.buffered() <= limits::frame_size_max, "no more than one frame is kept");
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input{data, size};
    const auto whole = parse(input, std::max<std::size_t>(size, 1));
    fuzz::hold(parse(input, 1) == whole, "one byte at a time gives the same events");
    fuzz::hold(parse(input, 7) == whole, "seven bytes at a time give the same events");
    return 0;
}
