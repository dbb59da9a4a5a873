#include "adapters/auditor/carry.h"

namespace flagpost::auditor {
namespace {

// Whoever carries beside us may have been faster: the witness then names a newer head each time.
constexpr int tries_max = 5;

std::string evidence_of(const std::string& sent, const HttpAnswer& answer) {
    return "sent to the witness:\n" + sent + "\nanswered, status " + std::to_string(answer.status) + ":\n" +
           answer.body;
}

}  // namespace

Result<std::string> Carrier::carry() {
    const auto head = ways_.shown();
    return ask(head, opened(head));
}

log::Checkpoint Carrier::opened(const std::string& head) const {
    auto checkpoint = log::open_checkpoint(head, log_);
    if (!checkpoint)
        throw client::LogAlarm{"the broker's head is not signed by the log's key: " +
                               checkpoint.error().where};
    return *std::move(checkpoint);
}

Result<std::string> Carrier::ask(const std::string& first_head, const log::Checkpoint& first) {
    auto head = first_head;
    auto checkpoint = first;
    for (int tries = 0; tries < tries_max; ++tries) {
        if (last_ > checkpoint.size) {
            // Somebody else may have carried a newer head than ours: look once more before calling it a rollback.
            head = ways_.newest();
            checkpoint = opened(head);
        }
        const auto old = std::min(last_, checkpoint.size);
        const auto proof =
            old == 0 || old == checkpoint.size ? std::vector<Digest>{} : ways_.prove(old, checkpoint.size);
        const auto body = log::add_checkpoint_body(old, proof, head);
        const auto answer = ways_.post(body);
        if (!answer) return refuse(Reason::busy, "witness: not reached");
        auto said = log::read_add_checkpoint(answer->status, answer->body, head, witness_);
        if (!said && said.error().reason == Reason::not_consistent)
            throw WitnessAlarm{said.error().where, evidence_of(body, *answer)};
        if (!said) return tl::unexpected{said.error()};
        if (auto* cosigned = std::get_if<log::Cosigned>(&*said)) {
            last_ = checkpoint.size;
            return std::move(cosigned->note);
        }
        const auto saw = std::get<log::SawLast>(*said).size;
        if (saw > checkpoint.size && saw == last_)
            throw WitnessAlarm{"witness: it has seen " + std::to_string(saw) +
                                   " entries of this log, and the broker shows " +
                                   std::to_string(checkpoint.size),
                               evidence_of(body, *answer)};
        last_ = saw;
    }
    return refuse(Reason::busy, "witness: says another size each time");
}

}  // namespace flagpost::auditor
