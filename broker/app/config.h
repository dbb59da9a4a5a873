/// The config files of the broker and of a gate in a process of its own (TOML). Relative paths start at the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "broker/app/signing.h"
#include "broker/crypto/keys.h"
#include "broker/crypto/tls.h"
#include "broker/standing/watch.h"

namespace flagpost::app {

struct Listen {
    std::string host;    // an address of this machine
    std::uint16_t port;  // 0: one of the system's choice
};

/// ZeroMQ endpoint between gates and broker, and the key that lets a gate in.
struct Fabric {
    std::string endpoint;  // "ipc://run/fabric": the folder must keep others out
    std::filesystem::path key;
};

/// Where operators' own tools on this machine look (broker/manage/server.h), and what is borne before it is an alarm.
struct Management {
    std::optional<Listen> listen;
    standing::Patience patience;
};

/// The smallest one that works:
///
///     partnership = "notts.example"
///     listen      = "0.0.0.0:7400"      # without it the broker serves gates in processes of their own only
///     data        = "data"              # folder; made if missing
///     pki         = "pki"               # layout of certs/README.md; gives every path below its default
///     agreement   = "agreement.toml"
///
///     parties     = "pki/parties.toml"
///     [tls]                             # needed with `listen`
///     certificate = "pki/broker/tls.crt"
///     key         = "pki/broker/tls.key"
///     ca          = "pki/ca.crt"
///     crl         = "pki/crl.pem"
///     [keys]
///     directory   = "pki/broker"        # master.key, seed.key, digest.key, dedup.key
///     master      = "pki/broker/master.key"   # or "credential:NAME" (systemd) or "env:NAME"
///     master_previous = "old-master.key"      # only while a change of the master key goes on
///     log_key     = "pki/broker/log.key"
///     log_vkey    = "pki/broker/log.vkey"
///     log_key_previous  = "old-log.key"   # only while heads are signed by both
///     log_vkey_previous = "old-log.vkey"  # as long as anybody may still know a head that only the old key signed
///     [signer]                          # where heads are signed in a process of its own, which alone holds log_key
///     socket      = "run/signer"
///     [fabric]                          # for gates in processes of their own
///     endpoint    = "ipc://run/fabric"
///     key         = "pki/broker/fabric.key"
///     [management]
///     listen      = "127.0.0.1:9110"    # off by default; a loopback address
///     silence_hours  = 24               # a party not connected for longer is an alarm
///     feed_age_hours = 26               # likewise a list of flags not loaded for longer, or a first list not for so long
///     roll_age_hours = 672              # likewise a school's roll
struct BrokerConfig {
    std::string partnership;
    std::optional<Listen> listen;
    std::filesystem::path data;
    std::filesystem::path agreement;
    std::filesystem::path parties;
    crypto::TlsFiles tls;
    std::filesystem::path keys;
    crypto::BrokerKeys::MasterSources masters;
    LogKeys log;                                  // its private half only without `signer`
    std::optional<std::filesystem::path> signer;  // socket of the process that signs
    std::optional<Fabric> fabric;
    Management management;

    std::filesystem::path database() const { return data / "flagpost.db"; }
    std::filesystem::path statistics() const { return data / "statistics.db"; }
    std::filesystem::path signed_head() const { return data / "signed-head"; }
    std::filesystem::path volumes() const { return data / "volumes.json"; }
};

/// `partnership`, `listen`, `pki` or `[tls]`, and `[fabric]`, as above.
struct GateConfig {
    std::string partnership;
    Listen listen;
    crypto::TlsFiles tls;
    Fabric fabric;
};

/// `[signer] socket`, `pki` or `[keys] log_key` and `log_vkey` (and those before), as above, and `state`: the file of what was signed last.
struct SignerConfig {
    std::filesystem::path socket, state;
    LogKeys keys;
};

/// These throw std::runtime_error naming file, line and key. A key nobody knows is an error: it was meant to do
/// something.
BrokerConfig load_broker_config(const std::filesystem::path& file);
GateConfig load_gate_config(const std::filesystem::path& file);
SignerConfig load_signer_config(const std::filesystem::path& file);

}  // namespace flagpost::app
