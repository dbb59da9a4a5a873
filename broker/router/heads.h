/// The signed heads of the log as the broker hands them out, with the cosignatures its peers have added.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/log/note.h"
#include "broker/router/parties.h"

namespace flagpost::router {

/// Witnesses cosign the head they are shown. One head is shown to all of them until enough have cosigned it: each its
/// own would have many heads with one cosignature and none with a quorum.
class Heads {
public:
    /// previous   the key before this one: heads that it alone signed are still known, and no new ones
    explicit Heads(log::VerifierKey log, std::optional<log::VerifierKey> previous = std::nullopt)
        : log_{std::move(log)}, previous_{std::move(previous)} {}

    /// A head the signer has just signed. Throws std::logic_error if it is not ours or older than the newest.
    void add(const std::string& note, Instant now);
    /// A head that had its quorum before the last stop. Throws std::logic_error likewise.
    void restore(const std::string& note, Instant now);

    bool empty() const { return heads_.empty(); }
    /// The newest head, with what cosignatures it has by now. There must be one.
    std::string newest() const { return heads_.back().note.format(); }
    std::uint64_t newest_size() const { return heads_.back().checkpoint.size; }
    /// A head of this log, signed by its key or the one before.
    Result<log::Checkpoint> open(std::string_view note) const;

    /// Takes the newest head as the one to show, once the one before has its quorum or was shown for long enough.
    void propose(std::size_t quorum, Instant now);
    /// The head to show to witnesses, and its size; nothing before the first.
    std::optional<std::uint64_t> proposed_size() const { return proposed_; }
    std::string proposed() const { return at(*proposed_)->note.format(); }

    struct Added {
        bool has_quorum;                   // the head, now
        std::vector<std::string> parties;  // whose cosignatures it was
    };
    /// Adds the cosignatures of these witnesses to the head they signed. Refused: a note that is no head of ours or one
    /// too old to be remembered (not_found), and one that none of these keys signed (bad_signature).
    Result<Added> cosign(std::string_view note, const std::vector<Parties::Witness>& witnesses,
                         std::size_t quorum, Instant now);

    /// The newest head at least so many parties have cosigned; nothing if none of those remembered has.
    std::optional<std::string> cosigned_by(std::size_t parties) const;
    /// The newest head that had its quorum: its size, and the names under it. 0 and none if there was none yet.
    std::uint64_t cosigned_size() const { return cosigned_.value_or(0); }
    std::vector<std::string> cosigners() const;
    /// Since when there have been heads newer than the newest one with a quorum; nothing while there are none.
    std::optional<Instant> waiting_since() const { return waiting_since_; }

private:
    struct Head {
        log::Checkpoint checkpoint;
        log::SignedNote note;
    };
    const Head* at(std::uint64_t size) const;
    /// How many parties have cosigned it.
    std::size_t cosigners_of(const Head& head) const;
    bool is_ours(const log::NoteSignature& line) const { return line.name == log_.name(); }
    void forget_some();

    void add(const std::string& note, Result<log::Checkpoint> checkpoint, Instant now);

    log::VerifierKey log_;
    std::optional<log::VerifierKey> previous_;
    std::deque<Head> heads_;                       // by size, newest last
    std::map<std::string, std::string> party_of_;  // the name under a cosignature to whose it is
    std::optional<std::uint64_t> proposed_, cosigned_;
    Instant proposed_at_{};
    std::optional<Instant> waiting_since_;
};

}  // namespace flagpost::router
