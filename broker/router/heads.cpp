#include "broker/router/heads.h"

#include <algorithm>
#include <stdexcept>

#include "broker/core/limits.h"

namespace flagpost::router {

void Heads::add(const std::string& note, Instant now) {
    auto checkpoint = log::open_checkpoint(note, log_);
    auto parsed = log::SignedNote::parse(note);
    if (!checkpoint || !parsed) throw std::logic_error{"signed head: not signed by our own key"};
    if (!heads_.empty() && checkpoint->size < newest_size())
        throw std::logic_error{"signed head: smaller than the one before"};
    if (!heads_.empty() && checkpoint->size == newest_size()) return;  // signed again: it is the same head
    heads_.push_back({std::move(*checkpoint), std::move(*parsed)});
    if (!waiting_since_) waiting_since_ = now;
    forget_some();
}

void Heads::restore(const std::string& note, Instant now) {
    add(note, now);
    proposed_ = cosigned_ = newest_size();
    waiting_since_.reset();
}

const Heads::Head* Heads::at(std::uint64_t size) const {
    const auto head =
        std::ranges::find_if(heads_, [&](const Head& each) { return each.checkpoint.size == size; });
    return head == heads_.end() ? nullptr : &*head;
}

/// The oldest of those that are neither shown nor the newest with a quorum.
void Heads::forget_some() {
    if (heads_.size() <= limits::heads_remembered_max) return;
    const auto oldest = std::ranges::find_if(heads_, [&](const Head& each) {
        return each.checkpoint.size != proposed_ && each.checkpoint.size != cosigned_;
    });
    heads_.erase(oldest);
}

void Heads::propose(std::size_t quorum, Instant now) {
    if (heads_.empty() || proposed_ == newest_size()) return;
    const bool enough = !proposed_ || at(*proposed_)->cosignatures() >= quorum;
    const auto shown_for =
        enough ? std::chrono::seconds{limits::checkpoint_interval} : limits::head_shown_for;
    if (proposed_ && now < proposed_at_ + shown_for) return;
    proposed_ = newest_size();
    proposed_at_ = now;
}

std::optional<std::string> Heads::cosigned_by(std::size_t agencies) const {
    const auto head = std::find_if(heads_.rbegin(), heads_.rend(),
                                   [&](const Head& each) { return each.cosignatures() >= agencies; });
    if (head == heads_.rend()) return std::nullopt;
    return head->note.format();
}

std::vector<std::string> Heads::cosigners() const {
    std::vector<std::string> names;
    if (cosigned_)
        for (const auto& line : at(*cosigned_)->note.signatures)
            if (line.name != log_.name() || line.key_id != log_.id()) names.push_back(line.name);
    return names;
}

Result<bool> Heads::cosign(std::string_view text, const PartyKeys& witness, std::size_t quorum, Instant now) {
    const auto note = log::SignedNote::parse(text);
    if (!note) return tl::unexpected{note.error()};
    const auto head =
        std::ranges::find_if(heads_, [&](const Head& each) { return each.note.text == note->text; });
    if (head == heads_.end()) return refuse(Reason::not_found, "cosign.checkpoint");

    for (const auto& dated : witness.witness) {
        if (!dated.holds(now) || !log::signed_by(*note, dated.key)) continue;
        const auto is_theirs = [&](const log::NoteSignature& line) {
            return line.name == dated.key.name() && line.key_id == dated.key.id();
        };
        // One agency is one witness: a second cosignature, also by its next key, says nothing new.
        if (std::ranges::none_of(head->note.signatures, [&](const log::NoteSignature& line) {
                return line.name == dated.key.name();
            }))
            head->note.signatures.push_back(*std::ranges::find_if(note->signatures, is_theirs));
        if (quorum == 0 || head->cosignatures() < quorum) return false;
        if (cosigned_ && head->checkpoint.size < *cosigned_) return false;
        cosigned_ = head->checkpoint.size;
        waiting_since_ = *cosigned_ == newest_size() ? std::nullopt : std::optional{now};
        return true;
    }
    return refuse(Reason::bad_signature, "cosign.checkpoint");
}

}  // namespace flagpost::router
