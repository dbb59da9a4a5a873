#include "broker/app/signing.h"

#include <stdexcept>

#include "broker/app/files.h"
#include "broker/store/durable_file.h"
#include "broker/store/store.h"

namespace flagpost::app {
namespace {

crypto::NoteKey load_half(const std::filesystem::path& key_file, const std::filesystem::path& vkey_file) {
    auto key = crypto::NoteKey::load(key_file);
    if (load_vkey(vkey_file).key() != key.public_key())
        throw std::runtime_error{vkey_file.string() + ": is not the key of " + key_file.string()};
    return key;
}

}  // namespace

std::optional<log::VerifierKey> load_vkey_previous(const LogKeys& keys) {
    if (!keys.vkey_previous) return std::nullopt;
    auto previous = load_vkey(*keys.vkey_previous);
    if (previous.name() != load_vkey(keys.vkey).name())
        throw std::runtime_error{keys.vkey_previous->string() + ": is of another log: its name has to stay"};
    return previous;
}

log::Signer load_signer(const LogKeys& keys, const std::filesystem::path& state) {
    auto key = load_half(keys.key, keys.vkey);
    std::optional<crypto::NoteKey> previous;
    if (load_vkey_previous(keys) && keys.key_previous)
        previous = load_half(*keys.key_previous, *keys.vkey_previous);
    auto last = log::Signer::new_log(load_vkey(keys.vkey).name());
    if (const auto kept = store::read_whole(state)) {
        auto head = log::Checkpoint::parse(text(*kept));
        if (!head) throw store::StorageFailure{state.string() + ": " + head.error().where};
        last = std::move(*head);
    }
    return {std::move(key), std::move(last),
            [state](const log::Checkpoint& newest) { store::write_durably(state, view(newest.format())); },
            std::move(previous)};
}

}  // namespace flagpost::app
