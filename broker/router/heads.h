/// The signed heads of the log as the broker hands them out, with the cosignatures its peers have added.
#pragma once

#include <deque>
#include <string>

#include "broker/log/note.h"
#include "broker/router/parties.h"

namespace flagpost::router {

class Heads {
public:
    explicit Heads(log::VerifierKey log) : log_{std::move(log)} {}

    /// A head the signer has just signed. Throws std::logic_error if it is not ours or older than the newest.
    void add(const std::string& note);

    bool empty() const { return heads_.empty(); }
    /// The newest head, with what cosignatures it has by now. There must be one.
    std::string newest() const { return heads_.back().note.format(); }
    std::uint64_t newest_size() const { return heads_.back().checkpoint.size; }
    const log::VerifierKey& log() const { return log_; }

    /// The newest head at least so many agencies have cosigned; nothing if none of those remembered has.
    std::optional<std::string> cosigned_by(std::size_t agencies) const;

    /// Adds the cosignature of a witness whose keys these are to the head it signed. Refused: a note that is no head
    /// of ours or one too old to be remembered (not_found), and any signature but one of these keys (bad_signature).
    Result<void> cosign(std::string_view note, const PartyKeys& witness, Instant now);

private:
    struct Head {
        log::Checkpoint checkpoint;
        log::SignedNote note;
    };
    log::VerifierKey log_;
    std::deque<Head> heads_;  // by size, newest last
};

}  // namespace flagpost::router
