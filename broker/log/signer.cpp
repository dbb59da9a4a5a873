#include "broker/log/signer.h"

#include "broker/log/merkle.h"

namespace flagpost::log {

Signer::Signer(crypto::NoteKey key, Checkpoint last, Persist persist, std::optional<crypto::NoteKey> previous)
    : key_{std::move(key)},
      previous_{std::move(previous)},
      last_{std::move(last)},
      persist_{std::move(persist)} {}

Checkpoint Signer::new_log(std::string origin) { return {std::move(origin), 0, empty_root()}; }

Result<std::string> Signer::sign(std::uint64_t size, const Digest& root, const std::vector<Digest>& proof) {
    if (size < last_.size) return refuse(Reason::not_consistent, "head: smaller than the last one signed");
    if (!verify_consistency(last_.size, size, last_.root, root, proof))
        return refuse(Reason::not_consistent, "head: does not extend the last one signed");
    const Checkpoint head{last_.origin, size, root};
    if (!(head == last_)) {
        persist_(head);
        last_ = head;
    }
    const auto text = head.format();
    SignedNote note{text, {sign_note(text, head.origin, key_)}};
    if (previous_) note.signatures.push_back(sign_note(text, head.origin, *previous_));
    return note.format();
}

VerifierKey Signer::verifier() const { return {last_.origin, VerifierKey::Type::note, key_.public_key()}; }

}  // namespace flagpost::log
