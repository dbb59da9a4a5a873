/// Signed notes, checkpoints, verifier keys and trust policies: texts that arrive from other people.
#include "broker/log/note.h"
#include "broker/log/policy.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = text(BytesView{data, size});

    if (const auto note = log::SignedNote::parse(input)) {
        fuzz::hold(note->format() == input, "a note has one spelling");
        const auto key = log::VerifierKey::parse(
            "broker.example/audit+0ebe6eac+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        const auto head = log::open_checkpoint(input, *key);
        const auto judged = log::Policy::of_log(*key).judge(input);
        fuzz::hold(head.has_value() == judged.has_value(),
                   "a policy of one log judges as the log's key does");
    }
    if (const auto head = log::Checkpoint::parse(input))
        fuzz::hold(head->format() == input, "a checkpoint has one spelling");
    if (const auto key = log::VerifierKey::parse(input))
        fuzz::hold(key->text() == input, "a key has one spelling");
    (void)log::Policy::parse(input);
    return 0;
}
