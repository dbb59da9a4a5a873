#include "broker/app/signing.h"

#include <stdexcept>

#include "broker/app/files.h"
#include "broker/store/durable_file.h"
#include "broker/store/store.h"

namespace flagpost::app {

log::Signer load_signer(const LogKeys& keys, const std::filesystem::path& state) {
    auto key = crypto::NoteKey::load(keys.key);
    const auto vkey = load_vkey(keys.vkey);
    if (vkey.key() != key.public_key())
        throw std::runtime_error{keys.vkey.string() + ": is not the key of " + keys.key.string()};
    auto last = log::Signer::new_log(vkey.name());
    if (const auto kept = store::read_whole(state)) {
        auto head = log::Checkpoint::parse(text(*kept));
        if (!head) throw store::StorageFailure{state.string() + ": " + head.error().where};
        last = std::move(*head);
    }
    return {std::move(key), std::move(last),
            [state](const log::Checkpoint& newest) { store::write_durably(state, view(newest.format())); }};
}

}  // namespace flagpost::app
