#include "broker/router/heads.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "broker/core/limits.h"

namespace flagpost::router {

Result<log::Checkpoint> Heads::open(std::string_view note) const {
    auto checkpoint = log::open_checkpoint(note, log_);
    return checkpoint || !previous_ ? checkpoint : log::open_checkpoint(note, *previous_);
}

void Heads::add(const std::string& note, Instant now) { add(note, log::open_checkpoint(note, log_), now); }

void Heads::add(const std::string& note, Result<log::Checkpoint> checkpoint, Instant now) {
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
    add(note, open(note), now);
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
    const bool enough = !proposed_ || cosigners_of(*at(*proposed_)) >= quorum;
    const auto shown_for =
        enough ? std::chrono::seconds{limits::checkpoint_interval} : limits::head_shown_for;
    if (proposed_ && now < proposed_at_ + shown_for) return;
    proposed_ = newest_size();
    proposed_at_ = now;
}

/// Two keys of one party are one cosigner. A name that came with the last run's head stands for itself until its party
/// cosigns again.
std::size_t Heads::cosigners_of(const Head& head) const {
    std::set<std::string> parties;
    for (const auto& line : head.note.signatures) {
        if (is_ours(line)) continue;
        const auto known = party_of_.find(line.name);
        parties.insert(known == party_of_.end() ? line.name : known->second);
    }
    return parties.size();
}

std::optional<std::string> Heads::cosigned_by(std::size_t parties) const {
    const auto head = std::find_if(heads_.rbegin(), heads_.rend(),
                                   [&](const Head& each) { return cosigners_of(each) >= parties; });
    if (head == heads_.rend()) return std::nullopt;
    return head->note.format();
}

std::vector<std::string> Heads::cosigners() const {
    std::vector<std::string> names;
    if (cosigned_)
        for (const auto& line : at(*cosigned_)->note.signatures)
            if (!is_ours(line)) names.push_back(line.name);
    return names;
}

Result<Heads::Added> Heads::cosign(std::string_view text, const std::vector<Parties::Witness>& witnesses,
                                   std::size_t quorum, Instant now) {
    const auto note = log::SignedNote::parse(text);
    if (!note) return tl::unexpected{note.error()};
    const auto head =
        std::ranges::find_if(heads_, [&](const Head& each) { return each.note.text == note->text; });
    if (head == heads_.end()) return refuse(Reason::not_found, "cosign.checkpoint");

    Added added{false, {}};
    for (const auto& [party, dated] : witnesses) {
        if (!dated.holds(now) || !log::signed_by(*note, dated.key)) continue;
        const auto is_theirs = [&key = dated.key](const log::NoteSignature& line) {
            return line.name == key.name() && line.key_id == key.id();
        };
        party_of_[dated.key.name()] = party;
        added.parties.push_back(party);
        // One name is one witness: a second cosignature, also by its next key, says nothing new.
        if (std::ranges::none_of(head->note.signatures, [&key = dated.key](const log::NoteSignature& line) {
                return line.name == key.name();
            }))
            head->note.signatures.push_back(*std::ranges::find_if(note->signatures, is_theirs));
    }
    if (added.parties.empty()) return refuse(Reason::bad_signature, "cosign.checkpoint");
    if (quorum == 0 || cosigners_of(*head) < quorum) return added;
    if (cosigned_ && head->checkpoint.size < *cosigned_) return added;
    cosigned_ = head->checkpoint.size;
    waiting_since_ = *cosigned_ == newest_size() ? std::nullopt : std::optional{now};
    added.has_quorum = true;
    return added;
}

}  // namespace flagpost::router
