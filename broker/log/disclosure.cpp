#include "broker/log/disclosure.h"

#include <algorithm>
#include <charconv>

#include "broker/core/limits.h"

namespace flagpost::log {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t range_size = 10;

template <class Number> void put(Bytes& out, Number number) { append_be(out, number, sizeof number); }

Bytes context_of(BytesView range) {
    auto context = copy(view("flagpost-keys/1\n"));
    context.insert(context.end(), range.begin(), range.end());
    return context;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<BodyKey> item_in(BytesView item) {
    if (item.size() <= key_size || item.size() - key_size - 1 < item[key_size])
        return refuse(Reason::malformed, "keys: item");
    const auto names = item.subspan(key_size + 1);
    const std::size_t controller = item[key_size];
    return BodyKey{crypto::SymmetricKey{*exactly<key_size>(item.first(key_size))},
                   std::string{text(names.first(controller))}, std::string{text(names.subspan(controller))}};
}

}  // namespace

Result<Scope> Scope::parse(std::string_view text) {
    Scope scope;
    const auto wrong = [] { return refuse(Reason::invalid_value, "scope"); };
    if (text == "all") return scope;
    bool has_entries = false;
    while (true) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        if (part.starts_with("entries=") && !has_entries) {
            const auto range = part.substr(8);
            const auto dash = range.find('-');
            if (dash == std::string_view::npos) return wrong();
            const auto first = decimal(range.substr(0, dash)), last = decimal(range.substr(dash + 1));
            if (!first || !last || *first > *last) return wrong();
            scope.first = *first;
            scope.last = *last;
            has_entries = true;
        } else if (part.starts_with("controller=") && !scope.controller) {
            const auto agency = AgencyId::parse(part.substr(11));
            if (!agency) return wrong();
            scope.controller = *agency;
        } else {
            return wrong();
        }
        if (comma == std::string_view::npos) return scope;
        text.remove_prefix(comma + 1);
    }
}

bool Scope::covers(std::uint64_t index, std::string_view controller_of_body) const {
    return index >= first && index <= last && (!controller || controller->text() == controller_of_body);
}

Bytes KeysPage::seal_to(const crypto::BoxPublicKey& auditor) const {
    Bytes page, items;
    put(page, first);
    put(page, static_cast<std::uint16_t>(keys.size()));
    for (const auto& key : keys) {
        if (!key) {
            put(items, std::uint16_t{0});
            continue;
        }
        // Agencies and classes are names of ours, far shorter than their lengths can say.
        put(items, static_cast<std::uint16_t>(key_size + 1 + key->controller.size() + key->retention.size()));
        items.insert(items.end(), key->key.reveal().begin(), key->key.reveal().end());
        items.push_back(static_cast<std::uint8_t>(key->controller.size()));
        items.insert(items.end(), key->controller.begin(), key->controller.end());
        items.insert(items.end(), key->retention.begin(), key->retention.end());
    }
    const auto box = crypto::seal_to(auditor, context_of(page), items);
    page.insert(page.end(), box.begin(), box.end());
    return page;
}

Result<KeysPage> KeysPage::open(BytesView page, const crypto::BoxKey& key) {
    const auto range = keys_page_range(page);
    if (!range) return refuse(Reason::malformed, "keys: page");
    const auto items = key.open(context_of(page.first(range_size)), page.subspan(range_size));
    if (!items) return refuse(Reason::bad_signature, "keys: not sealed to this key, or changed");
    KeysPage opened{range->first, {}};
    BytesView rest{*items};
    for (std::size_t i = 0; i < range->second; ++i) {
        if (rest.size() < 2) return refuse(Reason::malformed, "keys: fewer than the page says");
        const auto length = read_be(rest.first(2));
        rest = rest.subspan(2);
        if (rest.size() < length) return refuse(Reason::malformed, "keys: cut short");
        opened.keys.emplace_back();
        if (length > 0) {
            auto item = item_in(rest.first(length));
            if (!item) return tl::unexpected{item.error()};
            opened.keys.back() = *std::move(item);
        }
        rest = rest.subspan(length);
    }
    if (!rest.empty()) return refuse(Reason::malformed, "keys: more than the page says");
    return opened;
}

std::optional<std::pair<std::uint64_t, std::size_t>> keys_page_range(BytesView page) {
    if (page.size() < range_size) return std::nullopt;
    return std::pair{read_be(page.first(8)), static_cast<std::size_t>(read_be(page.subspan(8, 2)))};
}

}  // namespace flagpost::log
