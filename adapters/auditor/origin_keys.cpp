#include "adapters/auditor/origin_keys.h"

#include <toml++/toml.h>

#include <algorithm>
#include <stdexcept>

#include "adapters/auditor/replay.h"

namespace flagpost::auditor {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::runtime_error{std::string{"list of parties: "} + what};
}

std::string text_in(const toml::table& row, const char* name) {
    return row[name].value_exact<std::string>().value_or("");
}

/// Midnight UTC at the start of the day.
Instant day_in(const toml::table& row, const char* name) {
    const auto text = text_in(row, name);
    const auto day = text.size() == 10 ? parse_time(text) : std::nullopt;
    if (!day) fail("a party without its dates");
    return *day;
}

}  // namespace

OriginKeys OriginKeys::parse(std::string_view text) try {
    const auto table = toml::parse(text);
    OriginKeys keys;
    const auto* parties = table["party"].as_array();
    for (std::size_t i = 0; parties != nullptr && i < parties->size(); ++i) {
        const auto* row = parties->get(i)->as_table();
        if (row == nullptr) fail("a party that is none");
        const auto der = from_base64(text_in(*row, "origin_key"));
        auto key = der ? crypto::OriginVerifier::parse(*der) : refuse(Reason::malformed, "origin_key");
        if (!key) fail("a party without its key");
        keys.keys_[text_in(*row, "agency")].push_back(
            {*std::move(key), day_in(*row, "from"), day_in(*row, "to")});
    }
    return keys;
} catch (const toml::parse_error& error) {
    fail(error.description().data());
}

bool OriginKeys::signed_by(const std::string& agency, Instant time, BytesView message,
                           BytesView signature) const {
    const auto found = keys_.find(agency);
    return found != keys_.end() && std::ranges::any_of(found->second, [&](const Dated& dated) {
               return dated.from <= time && time < dated.until + slack &&
                      dated.key.verify(message, signature);
           });
}

}  // namespace flagpost::auditor
