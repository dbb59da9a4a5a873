#include "broker/router/heads.h"

#include <algorithm>
#include <stdexcept>

#include "broker/core/limits.h"

namespace flagpost::router {
namespace {

bool same_key(const log::NoteSignature& line, const log::VerifierKey& key) {
    return line.name == key.name() && line.key_id == key.id();
}

}  // namespace

void Heads::add(const std::string& note) {
    auto checkpoint = log::open_checkpoint(note, log_);
    auto parsed = log::SignedNote::parse(note);
    if (!checkpoint || !parsed) throw std::logic_error{"signed head: not signed by our own key"};
    if (!heads_.empty() && checkpoint->size < newest_size())
        throw std::logic_error{"signed head: smaller than the one before"};
    heads_.push_back({std::move(*checkpoint), std::move(*parsed)});
    if (heads_.size() > limits::heads_remembered_max) heads_.pop_front();
}

std::optional<std::string> Heads::cosigned_by(std::size_t agencies) const {
    const auto head = std::find_if(heads_.rbegin(), heads_.rend(), [&](const Head& each) {
        return each.note.signatures.size() >= agencies + 1;  // ours is one of the lines
    });
    if (head == heads_.rend()) return std::nullopt;
    return head->note.format();
}

Result<void> Heads::cosign(std::string_view text, const PartyKeys& witness, Instant now) {
    const auto note = log::SignedNote::parse(text);
    if (!note) return tl::unexpected{note.error()};
    const auto head =
        std::ranges::find_if(heads_, [&](const Head& each) { return each.note.text == note->text; });
    if (head == heads_.end()) return refuse(Reason::not_found, "cosign.checkpoint");

    for (const auto& dated : witness.witness) {
        if (!dated.holds(now) || !log::signed_by(*note, dated.key)) continue;
        const auto ours = [&](const log::NoteSignature& line) { return same_key(line, dated.key); };
        // A second cosignature of the same key says nothing new: the first stands.
        if (std::ranges::none_of(head->note.signatures, ours))
            head->note.signatures.push_back(*std::ranges::find_if(note->signatures, ours));
        return {};
    }
    return refuse(Reason::bad_signature, "cosign.checkpoint");
}

}  // namespace flagpost::router
