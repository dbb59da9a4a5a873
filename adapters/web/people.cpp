#include "adapters/web/people.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <spdlog/spdlog.h>
#include <toml++/toml.h>

#include <semaphore>
#include <sstream>
#include <stdexcept>

#include "adapters/desk/rejects.h"
#include "broker/crypto/keys.h"

namespace flagpost::web {
namespace {

constexpr std::uint32_t argon2_kib = 19 * 1024, argon2_passes = 2, argon2_lanes = 1;
constexpr std::size_t argon2_hash_size = 32;
constexpr std::int64_t code_step_s = 30;
constexpr std::uintmax_t people_file_size_max = 4u << 20;  // bytes
constexpr std::string_view base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::counting_semaphore<2> checking{2};

std::string text_of(const toml::table& row, const char* key, const std::string& where) {
    const auto value = row[key].value<std::string>();
    if (!value || value->empty()) throw std::runtime_error{where + ": " + key + " is missing"};
    return *value;
}

Person person_of(const toml::table& row, const std::set<std::string>& roles, const std::string& where) {
    Person person;
    person.name = text_of(row, "name", where);
    person.called = text_of(row, "called", where);
    person.role = text_of(row, "role", where);
    if (!roles.contains(person.role)) throw std::runtime_error{where + ": role is not one of this program's"};
    if (const auto* teams = row["teams"].as_array())
        for (const auto& team : *teams) person.teams.insert(team.value_or(std::string{}));
    person.password = row["password"].value_or(std::string{});
    person.code_secret = row["code_secret"].value_or(std::string{});
    person.one_time = row["one_time"].value_or(false);
    person.suspended = row["suspended"].value_or(false);
    if (const auto* cover = row["cover"].as_table())
        person.cover = Cover{text_of(*cover, "by", where), text_of(*cover, "from", where),
                             text_of(*cover, "until", where)};
    return person;
}

std::map<std::string, Person> people_of(const std::filesystem::path& file,
                                        const std::set<std::string>& roles) {
    toml::table table;
    try {
        crypto::require_private_mode(file);
        if (std::filesystem::file_size(file) > people_file_size_max)
            throw std::runtime_error{file.string() + ": is too large"};
        table = toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        throw std::runtime_error{file.string() + ":" + std::to_string(error.source().begin.line) +
                                 ": is no TOML"};
    }
    std::map<std::string, Person> people;
    const auto* rows = table["person"].as_array();
    if (rows == nullptr) return people;
    for (const auto& row : *rows) {
        const std::string where = file.string() + ": person " + std::to_string(people.size() + 1);
        if (!row.is_table() || people.size() == people_max)
            throw std::runtime_error{where + ": cannot be read"};
        Person person = person_of(*row.as_table(), roles, where);
        const std::string name = person.name;
        if (!people.emplace(name, std::move(person)).second)
            throw std::runtime_error{where + ": the name is there twice"};
    }
    return people;
}

toml::table row_of(const Person& person) {
    toml::table row;
    row.insert("name", person.name);
    row.insert("called", person.called);
    row.insert("role", person.role);
    toml::array teams;
    for (const auto& team : person.teams) teams.push_back(team);
    row.insert("teams", std::move(teams));
    row.insert("password", person.password);
    row.insert("code_secret", person.code_secret);
    if (person.one_time) row.insert("one_time", true);
    if (person.suspended) row.insert("suspended", true);
    if (person.cover) {
        toml::table cover;
        cover.insert("by", person.cover->by);
        cover.insert("from", person.cover->from);
        cover.insert("until", person.cover->until);
        row.insert("cover", std::move(cover));
    }
    return row;
}

std::optional<Bytes> from_base32(const std::string& text) {
    Bytes out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto value = base32.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 5 | static_cast<std::uint32_t>(value)) & 0xFFFF;
        count += 5;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<std::uint8_t>(bits >> count));
        }
    }
    return out.empty() ? std::nullopt : std::optional{out};
}

}  // namespace

People::People(std::filesystem::path file, std::set<std::string> roles)
    : file_{std::move(file)},
      roles_{std::move(roles)},
      written_{std::filesystem::last_write_time(file_)},
      people_{people_of(file_, roles_)} {}

void People::read_again() {
    std::error_code missing;
    const auto written = std::filesystem::last_write_time(file_, missing);
    if (missing || written == written_) return;
    written_ = written;
    try {
        people_ = people_of(file_, roles_);
        ++version_;
    } catch (const std::exception& error) {
        spdlog::error("the file of people cannot be used, the one before it stays in force: {}",
                      error.what());
    }
}

std::optional<Person> People::find(const std::string& name, const std::string& day) {
    const std::lock_guard lock{lock_};
    read_again();
    const auto found = people_.find(name);
    if (found == people_.end() || found->second.suspended) return std::nullopt;
    Person person = found->second;
    for (const auto& [other, absent] : people_)
        if (covers(absent, name, day)) person.covering.push_back({other, absent.called, absent.cover->until});
    return person;
}

std::vector<Person> People::all() {
    const std::lock_guard lock{lock_};
    read_again();
    std::vector<Person> all;
    for (const auto& [name, person] : people_)
        if (!person.suspended) all.push_back(person);
    return all;
}

std::vector<Person> People::everybody() {
    const std::lock_guard lock{lock_};
    read_again();
    std::vector<Person> all;
    for (const auto& [name, person] : people_) all.push_back(person);
    return all;
}

void People::put(const Person& person) {
    const std::lock_guard lock{lock_};
    write_person(file_, person, roles_);
    people_ = people_of(file_, roles_);
    written_ = std::filesystem::last_write_time(file_);
    ++version_;
}

std::uint64_t People::version() {
    const std::lock_guard lock{lock_};
    read_again();
    return version_;
}

bool covers(const Person& absent, const std::string& name, const std::string& day) {
    return absent.cover && absent.cover->by == name && absent.cover->from <= day &&
           day <= absent.cover->until;
}

void write_person(const std::filesystem::path& file, const Person& person,
                  const std::set<std::string>& roles) {
    if (!roles.contains(person.role)) throw std::runtime_error{"the role is not one of this program's"};
    std::map<std::string, Person> people;
    if (std::filesystem::exists(file)) people = people_of(file, roles);
    people.insert_or_assign(person.name, person);
    toml::array rows;
    for (const auto& [name, each] : people) rows.push_back(row_of(each));
    toml::table table;
    table.insert("person", std::move(rows));
    std::ostringstream text;
    text << table << "\n";
    desk::write_whole(file, text.str());
}

std::string hash_password(const std::string& password, Random& random) {
    const auto salt = random.bytes<16>();
    std::array<char, 256> encoded{};
    const int result =
        argon2id_hash_encoded(argon2_passes, argon2_kib, argon2_lanes, password.data(), password.size(),
                              salt.data(), salt.size(), argon2_hash_size, encoded.data(), encoded.size());
    if (result != ARGON2_OK) throw std::runtime_error{"Argon2: " + std::string{argon2_error_message(result)}};
    return encoded.data();
}

bool check_password(const std::string& hash, const std::string& password) {
    // A hash of nothing anybody knows, so that a name nobody has takes as long as one somebody has.
    static const std::string nobody =
        "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8";
    if (password.size() > password_size_max) return false;
    checking.acquire();
    const int result =
        argon2id_verify((hash.empty() ? nobody : hash).c_str(), password.data(), password.size());
    checking.release();
    return result == ARGON2_OK && !hash.empty();
}

std::string make_code_secret(Random& random) {
    const auto bytes = random.bytes<20>();
    std::string secret;
    for (std::size_t bit = 0; bit < 160; bit += 5) {
        const std::size_t at = bit / 8;
        const unsigned two = static_cast<unsigned>(bytes[at]) << 8 | (at + 1 < 20 ? bytes[at + 1] : 0U);
        secret += base32[two >> (11 - bit % 8) & 31U];
    }
    return secret;
}

std::optional<std::string> code_at(const std::string& secret, std::int64_t step) {
    const auto key = from_base32(secret);
    if (!key) return std::nullopt;
    Bytes counter;
    append_be(counter, static_cast<std::uint64_t>(step), 8);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    if (HMAC(EVP_sha1(), key->data(), static_cast<int>(key->size()), counter.data(), counter.size(),
             mac.data(), &size) == nullptr)
        throw std::runtime_error{"HMAC-SHA-1 is not available"};
    const std::size_t offset = mac[size - 1] & 15U;
    const auto number = read_be(BytesView{mac}.subspan(offset, 4)) & 0x7FFFFFFFU;
    std::string digits = std::to_string(number % 1'000'000);
    return std::string(6 - digits.size(), '0') + digits;
}

std::optional<std::int64_t> step_of_code(const std::string& secret, const std::string& code, Instant now) {
    const std::int64_t current =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() / code_step_s;
    std::optional<std::int64_t> found;
    for (const std::int64_t step : {current - 1, current, current + 1}) {
        const auto wanted = code_at(secret, step);
        if (wanted && same(*wanted, code)) found = step;
    }
    return found;
}

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace flagpost::web
