#include "broker/app/parties.h"

#include <date/date.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

#include "broker/app/files.h"
#include "broker/crypto/digest.h"

namespace flagpost::app {
namespace {

class Row {
public:
    Row(const std::filesystem::path& file, const toml::table& table) : file_{file}, table_{table} {}

    [[noreturn]] void fail(std::string_view key, const std::string& why) const {
        const auto* node = table_.get(key);
        const auto line = node == nullptr ? table_.source().begin.line : node->source().begin.line;
        throw std::runtime_error{file_.string() + ":" + std::to_string(line) + ": " + std::string{key} +
                                 ": " + why};
    }

    std::string text(std::string_view key) const {
        const auto* node = table_.get(key);
        const auto value = node == nullptr ? std::nullopt : node->value_exact<std::string>();
        if (!value) fail(key, "should be a text");
        return *value;
    }

    template <class T> T parsed(std::string_view key, Result<T> result) const {
        if (!result) fail(key, result.error().where);
        return std::move(*result);
    }

    /// Midnight UTC at the start of the day.
    Instant day(std::string_view key) const {
        std::istringstream in{text(key)};
        date::sys_days day;
        in >> date::parse("%F", day);
        if (!in) fail(key, "should be a day such as 2026-11-21");
        return Instant{day};
    }

    void only(std::initializer_list<std::string_view> keys) const {
        for (const auto& [key, value] : table_)
            if (std::ranges::find(keys, key.str()) == keys.end()) fail(key.str(), "no such setting");
    }

private:
    const std::filesystem::path& file_;
    const toml::table& table_;
};

void add(router::Parties& parties, const Row& row) {
    row.only({"agency", "origin_key", "witness_vkey", "from", "to"});
    const AgencyId agency = row.parsed("agency", AgencyId::parse(row.text("agency")));
    const auto der = from_base64(row.text("origin_key"));
    if (!der) row.fail("origin_key", "should be base64");
    auto origin = row.parsed("origin_key", crypto::OriginVerifier::parse(*der));
    auto witness = row.parsed("witness_vkey", log::VerifierKey::parse(row.text("witness_vkey")));
    if (witness.type() != log::VerifierKey::Type::cosignature)
        row.fail("witness_vkey", "should be a cosignature key (type 04)");
    const Instant from = row.day("from");
    const Instant to = row.day("to");
    if (from >= to) row.fail("to", "should be after from");
    auto& keys = parties.keys[agency];
    keys.origin.push_back({std::move(origin), from, to});
    keys.witness.push_back({std::move(witness), from, to});
}

void add_outside(router::Parties& parties, const Row& row) {
    row.only({"vkey", "from", "to"});
    auto key = row.parsed("vkey", log::VerifierKey::parse(row.text("vkey")));
    if (key.type() != log::VerifierKey::Type::cosignature)
        row.fail("vkey", "should be a cosignature key (type 04)");
    for (const auto& [agency, keys] : parties.keys)
        for (const auto& own : keys.witness)
            if (own.key.name() == key.name())
                row.fail("vkey",
                         "has the name of " + agency.text() + "'s witness: it would be counted twice");
    const Instant from = row.day("from");
    const Instant to = row.day("to");
    if (from >= to) row.fail("to", "should be after from");
    parties.outside.push_back({std::move(key), from, to});
}

/// What the file says, else two, or as many as there are.
std::size_t quorum_of(const Row& top, const toml::table& table, const router::Parties& parties) {
    std::set<std::string> outside;  // one that changes its key is still one
    for (const auto& each : parties.outside) outside.insert(each.key.name());
    const auto agencies = static_cast<std::size_t>(
        std::ranges::count_if(parties.keys, [](const auto& party) { return !party.second.witness.empty(); }));
    const auto witnesses = agencies + outside.size();
    if (!table.contains("quorum")) return std::min<std::size_t>(2, witnesses);
    const auto asked = table["quorum"].value_exact<std::int64_t>();
    if (!asked || *asked < 0 || static_cast<std::size_t>(*asked) > witnesses)
        top.fail("quorum", "should be a number of witnesses, at most as many as there are");
    return static_cast<std::size_t>(*asked);
}

}  // namespace

router::Parties load_parties(const std::filesystem::path& file) {
    const std::string text = read_text(file);
    router::Parties parties;
    parties.digest = crypto::sha256(view(text));
    toml::table table;
    try {
        table = toml::parse(text, file.string());
    } catch (const toml::parse_error& error) {
        throw std::runtime_error{file.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                                 std::string{error.description()}};
    }
    const Row top{file, table};
    top.only({"party", "witness", "quorum"});
    if (const auto* rows = table["party"].as_array()) {
        for (const auto& row : *rows) {
            if (!row.is_table()) top.fail("party", "should be [[party]] tables");
            add(parties, Row{file, *row.as_table()});
        }
    }
    if (const auto* rows = table["witness"].as_array()) {
        for (const auto& row : *rows) {
            if (!row.is_table()) top.fail("witness", "should be [[witness]] tables");
            add_outside(parties, Row{file, *row.as_table()});
        }
    }
    parties.quorum = quorum_of(top, table, parties);
    return parties;
}

}  // namespace flagpost::app
