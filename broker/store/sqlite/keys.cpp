#include "broker/store/sqlite/keys.h"

#include <stdexcept>

namespace flagpost::store::sqlite {
namespace {

constexpr std::uint8_t clear_key = 1;
constexpr std::uint8_t personal_key = 2;
constexpr std::size_t key_size_max = 0xffff;
constexpr std::size_t step_head = 3;

}  // namespace

Id16 Pseudonyms::mac(std::string_view use, std::string_view name) const {
    return crypto::hmac16(key_, {view(use), view(name)});
}

Id16 Pseudonyms::user(std::string_view name) const { return mac("flagpost-user/1\n", name); }

Id16 Pseudonyms::subject(std::string_view name) const { return mac("flagpost-subject/1\n", name); }

Id16 Pseudonyms::key_check() const { return mac("flagpost-digest-key/1\n", ""); }

Bytes Pseudonyms::state_key(const log::StateKey& key) const {
    Bytes out;
    out.reserve(1 + key.name.size());
    if (key.personal) {
        const auto hidden = mac("flagpost-state-key/1\n", key.name);
        out.push_back(personal_key);
        out.insert(out.end(), hidden.begin(), hidden.end());
    } else {
        out.push_back(clear_key);
        out.insert(out.end(), key.name.begin(), key.name.end());
    }
    return out;
}

std::string clear_name(BytesView key) {
    if (key.empty() || key[0] != clear_key) return {};
    return std::string{text(key.subspan(1))};
}

void append_step(Bytes& steps, KeyStep step, BytesView key) {
    if (key.size() > key_size_max) throw std::length_error{"a state key longer than 65,535 bytes"};
    steps.push_back(static_cast<std::uint8_t>(step));
    steps.push_back(static_cast<std::uint8_t>(key.size() >> 8));
    steps.push_back(static_cast<std::uint8_t>(key.size()));
    steps.insert(steps.end(), key.begin(), key.end());
}

Result<void> read_steps(BytesView steps, const std::function<void(KeyStep, BytesView key)>& each) {
    while (!steps.empty()) {
        if (steps.size() < step_head) return refuse(Reason::malformed, "keys: cut short");
        const auto step = steps[0];
        const auto size = static_cast<std::size_t>(steps[1] << 8 | steps[2]);
        if (step < static_cast<std::uint8_t>(KeyStep::shred) ||
            step > static_cast<std::uint8_t>(KeyStep::set))
            return refuse(Reason::malformed, "keys: unknown step");
        if (size == 0 || steps.size() - step_head < size) return refuse(Reason::malformed, "keys: length");
        each(static_cast<KeyStep>(step), steps.subspan(step_head, size));
        steps = steps.subspan(step_head + size);
    }
    return {};
}

}  // namespace flagpost::store::sqlite
