#include "adapters/school/notify.h"

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::school;

namespace {

std::filesystem::path script(const test::TemporaryDirectory& directory, const std::string& text) {
    const auto file = directory.path() / "hook";
    {
        std::ofstream out{file};
        out << "#!/bin/sh\n" << text << "\n";
    }
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
}

client::Config config(const std::map<std::string, std::string>& extra) {
    return {"", 0, "", *AgencyId::parse("school/900001"), {}, {}, {}, {}, {}, "", {}, extra};
}

}  // namespace

TEST_CASE("a command is told that there is something, and nothing else", "[school]") {
    const test::TemporaryDirectory directory;
    const auto told = directory.path() / "told";
    const auto hook =
        command_hook(script(directory, "{ echo \"$#:$1\"; env | sort; cat; } > " + told.string()));
    CHECK_FALSE(hook({}));
    std::ifstream in{told};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    CHECK(text.starts_with("1:You have a new notice in Flagpost. Sign in as you usually do.\n"));
    CHECK(text.find("HOME=") == std::string::npos);
}

TEST_CASE("a command that fails, is not there or is stopped says so", "[school]") {
    const test::TemporaryDirectory directory;
    CHECK(command_hook(script(directory, "exit 3"))({}) == "the command ended with 3");
    CHECK(command_hook(directory.path() / "none")({}) ==
          "the command cannot be started (No such file or directory)");
    CHECK(command_hook(script(directory, "kill -9 $$"))({}) == "the command was ended by a signal");
    std::stop_source stopped;
    stopped.request_stop();
    CHECK(command_hook(script(directory, "exec sleep 60"))(stopped.get_token()));
}

TEST_CASE("settings that would send anything but to addresses are refused", "[school]") {
    struct Row {
        const char* why;
        std::map<std::string, std::string> extra;
        const char* says;
    };
    const std::map<std::string, std::string> good{
        {"notify_smtp", "smtps://mail.school.example:465"},
        {"notify_from", "flagpost@school.example"        },
        {"notify_to",   "dsl@school.example, b@c.example"}
    };
    const auto with = [&](const char* name, const char* value) {
        auto changed = good;
        changed[name] = value;
        return changed;
    };
    const std::vector<Row> rows{
        {"another protocol",   with("notify_smtp", "http://mail.school.example"),             "notify_smtp"    },
        {"no recipient",       with("notify_to",   " , "),                                    "notify_to"      },
        {"a header injected",  with("notify_to",   "dsl@school.example\r\nBcc: x@y.example"), "notify_to"      },
        {"a name, no address", with("notify_from", "Flagpost"),                               "notify_from"    },
        {"user alone",         with("notify_user", "flagpost"),                               "notify_password"},
        {"no server",          with("notify_smtp", ""),                                       "notify_smtp"    },
    };
    CHECK(hook_of(config(good), "school.toml"));
    CHECK_FALSE(hook_of(config({}), "school.toml"));
    for (const Row& row : rows) {
        CAPTURE(row.why);
        CHECK_THROWS_WITH(hook_of(config(row.extra), "school.toml"), Catch::Contains(row.says));
    }
}
