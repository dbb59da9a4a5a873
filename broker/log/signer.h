/// Who signs the heads of the log, and never two that contradict each other.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "broker/log/note.h"

namespace flagpost::log {

/// The signer cannot be asked now. What was to be signed still can be, later.
class SignerAway : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Where heads are signed: here, or in a process that holds the key alone.
class HeadSigner {
public:
    virtual ~HeadSigner() = default;
    /// The signed note of this head. Refused as not_consistent when it is smaller than the last, of equal size with
    /// another root, or larger without a proof that it extends the last. `proof` is consistency_proof(last, size).
    /// Throws SignerAway.
    virtual Result<std::string> sign(std::uint64_t size, const Digest& root,
                                     const std::vector<Digest>& proof) = 0;
    /// The head signed last; of size 0 if there was none.
    virtual const Checkpoint& last() const = 0;
};

/// Signs a head only if it extends the last one it signed, and only after remembering it.
///
/// The signer keeps its own memory of the last head, apart from the store's: a store set back to an older backup
/// would otherwise make the log publish two histories. Whoever can write that memory can undo this.
class Signer final : public HeadSigner {
public:
    /// Makes the head durable and returns, or throws; no signature is released before it has returned.
    using Persist = std::function<void(const Checkpoint&)>;

    /// last       what Persist was last given; new_log() for a log that has signed nothing yet
    /// previous   the key before this one, while a change of the key goes on: each head is then signed by both
    Signer(crypto::NoteKey key, Checkpoint last, Persist persist,
           std::optional<crypto::NoteKey> previous = std::nullopt);
    static Checkpoint new_log(std::string origin);

    Result<std::string> sign(std::uint64_t size, const Digest& root,
                             const std::vector<Digest>& proof) override;
    const Checkpoint& last() const override { return last_; }
    VerifierKey verifier() const;

private:
    crypto::NoteKey key_;
    std::optional<crypto::NoteKey> previous_;
    Checkpoint last_;
    Persist persist_;
};

}  // namespace flagpost::log
