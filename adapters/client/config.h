/// One config file per role (TOML), the part every adapter shares.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "broker/core/ids.h"
#include "broker/crypto/tls.h"
#include "broker/log/note.h"

namespace flagpost::client {

/// What every adapter needs to be somebody and to reach the broker. Relative paths are relative to the config file.
///
///     broker      = "broker.notts.example:7400"
///     partnership = "notts.example"
///     identity    = "pki/police-31"        # folder: tls.crt, tls.key, origin.key, witness.key, witness.vkey
///     ca          = "pki/ca.crt"
///     crl         = "pki/crl.pem"          # may be left out: then the broker's certificate is not checked for revocation
///     log_vkey    = "pki/broker/log.vkey"  # the log's key, handed over out of band
///     data        = "police-31.db"
///     durable     = "main"                 # name of this consumer
///     topics      = ["markers/31"]         # mailboxes to receive; default: those of the own agency
struct Config {
    std::string broker_host;
    std::uint16_t broker_port;
    std::string partnership;
    AgencyId agency;  // read from the certificate
    crypto::TlsFiles tls;
    std::filesystem::path origin_key;
    std::filesystem::path witness_key;
    std::filesystem::path log_vkey;
    std::filesystem::path data;
    std::string durable;
    std::vector<std::string> topics;
    std::map<std::string, std::string> extra;  // the role's own settings, each a string, by key
};

/// Throws std::runtime_error naming file, line and key. `own_keys` are the role's own settings; any other is an error.
Config load_config(const std::filesystem::path& file, const std::vector<std::string>& own_keys);

/// A public key of the log or of a witness in C2SP form, the first line of the file. Throws std::runtime_error.
log::VerifierKey read_vkey(const std::filesystem::path& file);

}  // namespace flagpost::client
