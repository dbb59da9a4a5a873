/// The signer in a process of its own: its end, and the broker's, of a unix socket.
///
/// Whoever may connect to the socket may have heads signed, though never two that contradict each other: its folder is
/// for the broker and the signer alone.
#pragma once

#include <filesystem>

#include "broker/log/sign_call.h"
#include "broker/log/signer.h"
#include "broker/store/disk.h"

namespace flagpost::app {

/// Signs for one broker at a time, the one that came last, until `stop` becomes readable. Throws std::runtime_error if
/// the socket cannot be made, StorageFailure if the signer's memory cannot be trusted any more.
void serve_signing(const std::filesystem::path& socket, log::Signer& signer, int stop);

/// Asks it. Belongs to the thread that uses it.
class RemoteSigner final : public log::HeadSigner {
public:
    /// key   of the log: a head that the signer signed with another is not taken (SignerAway): one of the two has to be started with
    ///       the other's
    /// Throws SignerAway if the signer does not answer, or what it remembers cannot be read.
    RemoteSigner(std::filesystem::path socket, log::VerifierKey key);

    Result<std::string> sign(std::uint64_t size, const Digest& root,
                             const std::vector<Digest>& proof) override;
    const log::Checkpoint& last() const override { return last_; }

private:
    log::SignReply ask(BytesView call);
    void connect();

    std::filesystem::path socket_;
    log::VerifierKey key_;
    std::optional<store::Descriptor> connection_;
    log::Checkpoint last_;
};

}  // namespace flagpost::app
