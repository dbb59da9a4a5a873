/// Proof files that arrive from other people.
#include "broker/log/tlog_proof.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = text(BytesView{data, size});
    if (const auto proof = log::TlogProof::parse(input)) {
        fuzz::hold(proof->format() == input, "a proof file has one spelling");
        const auto key = log::VerifierKey::parse(
            "broker.example/audit+0ebe6eac+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        (void)log::check_proof(*proof, BytesView{data, size}, log::Policy::of_log(*key));
    }
    return 0;
}
