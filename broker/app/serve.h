/// The broker put together: files to keys, store to exchange, threads to sockets; and run until told to stop.
#pragma once

#include "broker/app/config.h"

namespace flagpost::app {

/// Recovers what is stored, serves, and prints `ready <port>` on stdout once clients may come (port 0 without a
/// listener of its own). Returns after SIGTERM or SIGINT, when everything decided is committed and the last head is
/// signed. SIGHUP reads certificates, revocation list and parties anew.
///
/// Throws store::StorageFailure when what is stored is not to be trusted or cannot be added to, std::runtime_error
/// and crypto::CryptoFailure for files of ours that are missing or wrong. Call it before any other thread exists.
void serve(const BrokerConfig& config);

}  // namespace flagpost::app
