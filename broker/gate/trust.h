/// The gate's certificates and revocation list, read anew when their files change.
#pragma once

#include <sys/stat.h>

#include <array>
#include <optional>
#include <string>

#include "broker/crypto/tls.h"
#include "broker/wire/fabric.h"

namespace flagpost::gate {

/// Whoever can write these files decides who may speak, and for whom.
///
/// A reload builds a whole new context and tries it; only then does it take the place of the old one. Existing
/// connections keep the context they began with, so each is judged anew against the new one (still_trusted).
class Trust {
public:
    /// Throws CryptoFailure.
    explicit Trust(crypto::TlsFiles files);

    SSL_CTX* context() const { return trusted_.context.get(); }

    /// The files on disk are not those of the last attempt to read them.
    bool changed_on_disk() const;

    /// Throws CryptoFailure and keeps what it had if the files do not fit together, the broker's own certificate
    /// does not verify, or a revocation list has no number or is older than the one in force.
    void reload();

    /// The peer's certificate is on a revocation list in force. Cheap: a search in a sorted list.
    bool revoked(SSL* connection) const;

    /// The peer's chain still verifies: CA, revocation, validity. As dear as in a handshake.
    bool still_trusted(SSL* connection) const;

    /// What the broker is told: the certificate that context() shows and the lists that it judges by. Holds as long as nothing is reloaded.
    wire::fabric::Credentials credentials() const;

private:
    struct Stamp {
        std::int64_t modified_ns = 0, size = 0;
        std::uint64_t inode = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    using Stamps = std::array<Stamp, 4>;
    struct Trusted {
        crypto::TlsContext context;
        std::string lists;           // the file that the context's were read from, byte for byte
        std::uint64_t lists_number;  // of the first of them
        Digest certificate;
        Instant certificate_ends;
    };
    static Trusted read(const crypto::TlsFiles& files);
    static Stamp stamp_of(const std::filesystem::path& file);
    Stamps stamps() const;

    crypto::TlsFiles files_;
    Stamps read_;
    Trusted trusted_;
};

}  // namespace flagpost::gate
