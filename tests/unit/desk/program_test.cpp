#include "adapters/desk/program.h"

#include <iostream>
#include <sstream>

#include "adapters/client/usage.h"
#include "tests/support/catch.h"

using namespace flagpost;

namespace {

/// What is said on stderr to these words, which the program cannot use.
std::string said_to(std::vector<std::string> words) {
    desk::Program program{"flagpost-test", "A program."};
    auto* group = program.group("inbox", "A group.");
    program.command(
        group, "list", "A command.", [] { return 0; }, desk::Program::Needs::nothing);
    std::string outcome;
    group->get_subcommand("list")
        ->add_option("--outcome", outcome)
        ->check(client::one_of({"known"}, {"removed"}));
    words.insert(words.begin(), "flagpost-test");
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    std::ostringstream said;
    auto* const before = std::cerr.rdbuf(said.rdbuf());
    const int code = program.run(static_cast<int>(argv.size()), argv.data());
    std::cerr.rdbuf(before);
    CHECK(code == 2);
    return said.str();
}

}  // namespace

TEST_CASE("a command that does not exist is named", "[desk]") {
    CHECK_THAT(said_to({"bogus"}), Catch::StartsWith("There is no command or option \"bogus\" here."));
    CHECK_THAT(said_to({"inbox", "lst"}), Catch::StartsWith("There is no command or option \"lst\" here."));
    CHECK_THAT(said_to({}), Catch::StartsWith("A subcommand is required"));
    CHECK_THAT(said_to({"inbox"}), Catch::StartsWith("A subcommand is required"));
    CHECK_THAT(said_to({"inbox", "list", "--bogus"}), Catch::Contains("--bogus"));
    CHECK_THAT(said_to({"inbox", "list", "--outcome", "none"}),
               Catch::StartsWith("--outcome: \"none\" is none of: known, removed"));
}
