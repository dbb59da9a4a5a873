/// The keys the broker uses, as a text whose digest is a leaf of the log: a key that was changed is seen by every auditor.
#pragma once

#include <string>

#include "broker/app/config.h"
#include "broker/crypto/keys.h"
#include "broker/log/note.h"

namespace flagpost::app {

/// TOML. The log's verifier key and the one before, if there is one, stand as they are. Secret keys are named by
/// HMAC-SHA-256 under the key itself of "flagpost-key-id/1\n", 16 bytes in hexadecimal: equal means the same key, and
/// nothing else can be learned from it. The TLS certificates are the gates', who tell them: see router::Broker.
std::string key_list(const BrokerConfig& config, const crypto::BrokerKeys& keys, const log::VerifierKey& log);

}  // namespace flagpost::app
