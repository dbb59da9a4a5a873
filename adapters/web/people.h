/// Who may sign in: a file of people with their roles, passwords and second steps.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/core/clock.h"

namespace flagpost::web {

/// Who does somebody's work while they are away.
struct Cover {
    std::string by;           // name to sign in with
    std::string from, until;  // days, YYYY-MM-DD, both included
    friend bool operator==(const Cover&, const Cover&) = default;
};

/// Whose work somebody does on a day, as well as their own.
struct Covered {
    std::string name, called;
    std::string until;  // YYYY-MM-DD, included
};

/// A person of the agency. One who exists has a name, and a role the program knows.
struct Person {
    std::string name;             // to sign in with: "sam.patel"
    std::string called;           // "Sam Patel", as the agency's own system has it
    std::string role;             // "worker", "duty", "manager", ...
    std::set<std::string> teams;  // or schools, by URN
    std::string password;         // Argon2id, encoded; never the password itself
    std::string code_secret;      // base 32, of the second step; whoever reads it can make codes
    bool one_time = false;        // the password was given out: another must be chosen when it is first used
    bool suspended = false;
    std::optional<Cover> cover{};
    std::vector<Covered> covering{};  // on the day they were asked for; not in the file
};
/// Whether `name` does this person's work on that day.
bool covers(const Person& absent, const std::string& name, const std::string& day);

inline constexpr std::size_t people_max = 5'000;
inline constexpr std::size_t password_size_max = 200;  // bytes
inline constexpr std::size_t password_size_min = 12;   // bytes, of one that somebody chooses

/// The people of one file (TOML, mode 0600), read again whenever it changes, so that a suspension takes effect at once.
///
///     [[person]]
///     name = "sam.patel"
///     called = "Sam Patel"
///     role = "worker"
///     teams = ["North"]
///     password = "$argon2id$..."
///     code_secret = "JBSWY3DPEHPK3PXP"
///
/// Whoever can write this file can sign in as anybody. Safe for several threads.
class People {
public:
    /// Throws std::runtime_error for a file that cannot be read, or is not such a file.
    People(std::filesystem::path file, std::set<std::string> roles);

    /// Nothing for a name nobody has, or somebody suspended. A file broken meanwhile leaves the last whole one in force.
    /// `day` (YYYY-MM-DD): with whom they cover then.
    std::optional<Person> find(const std::string& name, const std::string& day = {});
    /// Everybody not suspended.
    std::vector<Person> all();
    /// Those suspended too.
    std::vector<Person> everybody();
    /// Adds a person, or replaces the one of the same name, in the file. Throws std::runtime_error.
    void put(const Person& person);
    /// Another number whenever the file was read anew.
    std::uint64_t version();

private:
    void read_again();
    std::filesystem::path file_;
    std::set<std::string> roles_;
    std::mutex lock_;  // guards what follows
    std::filesystem::file_time_type written_{};
    std::uint64_t version_ = 1;
    std::map<std::string, Person> people_;
};

/// Adds a person, or replaces one of the same name; the file is made if it is not there. Throws std::runtime_error.
void write_person(const std::filesystem::path& file, const Person& person,
                  const std::set<std::string>& roles);

/// Argon2id (RFC 9106) with 19 MiB, 2 passes, 1 lane, 16 bytes of salt: OWASP's least.
std::string hash_password(const std::string& password, Random& random);
/// Whether this is the password. At most two are checked at a time, which bounds memory; takes as long for an empty hash.
bool check_password(const std::string& hash, const std::string& password);

/// 20 random bytes in base 32 (RFC 4648), for an authenticator app.
std::string make_code_secret(Random& random);
/// The 6 digits of 30 seconds (RFC 6238, SHA-1), counted from 1970; nothing for a secret that is no base 32.
std::optional<std::string> code_at(const std::string& secret, std::int64_t step);
/// The step within one of now whose code this is.
std::optional<std::int64_t> step_of_code(const std::string& secret, const std::string& code, Instant now);

/// Whether both are the same, in a time that does not say where they differ.
bool same(std::string_view a, std::string_view b);

}  // namespace flagpost::web
