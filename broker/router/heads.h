/// The signed heads of the log as the broker hands them out, with the cosignatures its peers have added.
#pragma once

#include <deque>
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
    explicit Heads(log::VerifierKey log) : log_{std::move(log)} {}

    /// A head the signer has just signed. Throws std::logic_error if it is not ours or older than the newest.
    void add(const std::string& note, Instant now);
    /// A head that had its quorum before the last stop. Throws std::logic_error likewise.
    void restore(const std::string& note, Instant now);

    bool empty() const { return heads_.empty(); }
    /// The newest head, with what cosignatures it has by now. There must be one.
    std::string newest() const { return heads_.back().note.format(); }
    std::uint64_t newest_size() const { return heads_.back().checkpoint.size; }
    const log::VerifierKey& log() const { return log_; }

    /// Takes the newest head as the one to show, once the one before has its quorum or was shown for long enough.
    void propose(std::size_t quorum, Instant now);
    /// The head to show to witnesses, and its size; nothing before the first.
    std::optional<std::uint64_t> proposed_size() const { return proposed_; }
    std::string proposed() const { return at(*proposed_)->note.format(); }

    /// Adds the cosignature of a witness whose keys these are to the head it signed; whether that head has its quorum
    /// now. Refused: a note that is no head of ours or one too old to be remembered (not_found), and any signature but
    /// one of these keys (bad_signature).
    Result<bool> cosign(std::string_view note, const PartyKeys& witness, std::size_t quorum, Instant now);

    /// The newest head at least so many agencies have cosigned; nothing if none of those remembered has.
    std::optional<std::string> cosigned_by(std::size_t agencies) const;
    /// The newest head that had its quorum: its size, and the names under it. 0 and none if there was none yet.
    std::uint64_t cosigned_size() const { return cosigned_.value_or(0); }
    std::vector<std::string> cosigners() const;
    /// Since when there have been heads newer than the newest one with a quorum; nothing while there are none.
    std::optional<Instant> waiting_since() const { return waiting_since_; }

private:
    struct Head {
        log::Checkpoint checkpoint;
        log::SignedNote note;
        std::size_t cosignatures() const { return note.signatures.size() - 1; }  // ours is one of the lines
    };
    const Head* at(std::uint64_t size) const;
    void forget_some();

    log::VerifierKey log_;
    std::deque<Head> heads_;  // by size, newest last
    std::optional<std::uint64_t> proposed_, cosigned_;
    Instant proposed_at_{};
    std::optional<Instant> waiting_since_;
};

}  // namespace flagpost::router
