#include "broker/app/key_list.h"

namespace flagpost::app {
namespace {

constexpr std::string_view use = "flagpost-key-id/1\n";

std::string row(const char* name, const std::string& value) {
    return std::string{name} + " = \"" + value + "\"\n";
}

std::string row(const char* name, const crypto::SymmetricKey& key) {
    return row(name, to_hex(crypto::hmac16(key, {view(use)})));
}

}  // namespace

std::string key_list(const BrokerConfig& config, const crypto::BrokerKeys& keys,
                     const log::VerifierKey& log) {
    auto text = row("log", log.text());
    if (const auto previous = load_vkey_previous(config.log)) text += row("log_previous", previous->text());
    text += row("master", keys.master.current);
    if (keys.master.previous) text += row("master_previous", *keys.master.previous);
    return text + row("seed", keys.seed) + row("digest", keys.digest) + row("dedup", keys.dedup);
}

}  // namespace flagpost::app
