/// What a witness outside answers over HTTP: the first byte chooses the status, the rest is the body.
#include "broker/log/add_checkpoint.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

namespace {

// The worked example of broker/log/README.md, under published test keys.
constexpr auto head =
    "broker.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n"
    "\u2014 broker.example/audit "
    "Dr5urC2UJ7PRUGpy19XfsDdCb+vsK0DWZLHL6zQQ+YeL9T+7swpTHkn4hC03SVeJylHH4zxrCCpVOjw0148hJm+PEQQ=\n";
const auto log_key =
    log::VerifierKey::parse("broker.example/audit+0ebe6eac+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        .value();
const log::VerifierKey witness{"witness.example/w1", log::VerifierKey::Type::cosignature, log_key.key()};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr int statuses[] = {200, 409, 422, 503};
    const auto answer =
        log::read_add_checkpoint(statuses[data[0] % 4], text(BytesView{data + 1, size - 1}), head, witness);
    if (!answer) return 0;
    if (const auto* cosigned = std::get_if<log::Cosigned>(&*answer)) {
        const auto note = log::SignedNote::parse(cosigned->note);
        fuzz::hold(note && note->signatures.size() == 2, "the log's line and the witness's, no other");
        fuzz::hold(log::open_checkpoint(cosigned->note, log_key) && log::cosigned_at(*note, witness),
                   "both hold");
    }
    return 0;
}
