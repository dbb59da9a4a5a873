#include "adapters/web/people.h"

#include <filesystem>
#include <fstream>

#include "broker/crypto/keys.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::web;

TEST_CASE("a password is known by its Argon2id hash, and an empty hash fits none", "[web]") {
    crypto::SystemRandom random;
    const std::string hash = hash_password("correct horse", random);
    CHECK(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    CHECK(check_password(hash, "correct horse"));
    CHECK_FALSE(check_password(hash, "correct horsf"));
    CHECK_FALSE(check_password(hash, ""));
    CHECK_FALSE(check_password("", ""));
    CHECK_FALSE(check_password("no hash", "correct horse"));
    CHECK_FALSE(check_password(hash, std::string(password_size_max + 1, 'x')));
    CHECK(hash_password("correct horse", random) != hash);
}

TEST_CASE("codes are those of RFC 6238, appendix B, and one step early or late is borne", "[web]") {
    const std::string secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";  // "12345678901234567890"
    CHECK(code_at(secret, 59 / 30) == "287082");
    CHECK(code_at(secret, 1111111109 / 30) == "081804");
    CHECK(code_at(secret, 20000000000 / 30) == "353130");
    const Instant now = from_us(59'000'000);
    CHECK(step_of_code(secret, "287082", now) == 1);
    CHECK(step_of_code(secret, "287082", now + std::chrono::seconds{30}) == 1);
    CHECK_FALSE(step_of_code(secret, "287082", now + std::chrono::seconds{60}));
    CHECK_FALSE(step_of_code(secret, "28708", now));
    CHECK_FALSE(step_of_code("", "287082", now));
    CHECK_FALSE(step_of_code("no base 32", "287082", now));
}

TEST_CASE("a fresh secret of the second step is 20 bytes and makes codes", "[web]") {
    crypto::SystemRandom random;
    const auto secret = make_code_secret(random);
    CHECK(secret.size() == 32);
    CHECK(code_at(secret, 1)->size() == 6);
    CHECK(make_code_secret(random) != secret);
}

TEST_CASE("who may sign in is read from a private file, again when it changes", "[web]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "people.toml";
    const std::set<std::string> roles{"worker", "duty"};
    Person sam;
    sam.name = "sam";
    sam.called = "Sam \"Sunny\" Patel";
    sam.role = "worker";
    sam.teams = {"North", "South"};
    sam.one_time = true;
    write_person(file, sam, roles);
    People people{file, roles};
    REQUIRE(people.find("sam"));
    CHECK(people.find("sam")->called == sam.called);
    CHECK(people.find("sam")->teams == sam.teams);
    CHECK(people.find("sam")->one_time);
    CHECK_FALSE(people.find("kim"));
    CHECK_FALSE(people.find(""));

    const auto touched = [&] {  // some file systems keep whole seconds
        std::filesystem::last_write_time(file,
                                         std::filesystem::last_write_time(file) + std::chrono::seconds{2});
    };
    sam.suspended = true;
    write_person(file, sam, roles);
    touched();
    CHECK_FALSE(people.find("sam"));
    sam.suspended = false;
    write_person(file, sam, roles);
    touched();
    touched();
    std::ofstream{file, std::ios::app} << "[[person]\n";
    touched();
    people.find("sam");
    std::filesystem::permissions(file, std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
    CHECK_THROWS_AS((People{file, roles}), std::exception);
}

TEST_CASE("a file of people that is none is an error that names the place", "[web]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "people.toml";
    for (const auto* text :
         {"[[person]]\nname = \"a\"\ncalled = \"A\"\nrole = \"king\"\n", "[[person]]\nname = \"a\"\n",
          "[[person]]\nname = \"a\"\ncalled = \"A\"\nrole = \"worker\"\n[[person]]\nname = \"a\"\ncalled = "
          "\"A\"\nrole = \"worker\"\n",
          "person = \"x", "person = [1]\n"}) {
        CAPTURE(text);
        std::ofstream{file} << text;
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        CHECK_THROWS_WITH((People{file, {"worker"}}), Catch::Contains("people.toml"));
    }
}
