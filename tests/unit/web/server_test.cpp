#include "adapters/web/server.h"

#include <httplib.h>

#include <fstream>
#include <thread>

#include "adapters/web/site.h"
#include "broker/crypto/keys.h"
#include "tests/support/catch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unfinished_requests.h"

using namespace flagpost;
using namespace flagpost::web;

namespace {

/// Pages that nobody has signed in to, on a port of this machine.
class Office {
public:
    int port() const { return server_.port(); }
    ~Office() {
        server_.stop();
        thread_.join();
    }

private:
    static std::filesystem::path nobody(const std::filesystem::path& file) {
        std::ofstream{file} << "";
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        return file;
    }

    test::TemporaryDirectory directory_;
    crypto::SystemRandom random_;
    test::ManualClock clock_{from_us(1'780'000'000'000'000)};
    People people_{nobody(directory_.path() / "people.toml"), {"worker"}};
    Site site_{SiteSettings{}, people_, clock_, random_};
    Server server_{
        site_, {"127.0.0.1", 0, {}, {}}
    };
    std::thread thread_{[this] { server_.run(); }};
};

}  // namespace

TEST_CASE("what is too large is answered with a page that says so and gives nothing of it back", "[web]") {
    const Office office;
    httplib::Client client{"127.0.0.1", office.port()};
    for (const std::size_t size : {std::size_t{9} << 10, std::size_t{300} << 10}) {
        const auto answer =
            client.Post("/sign-in", "name=" + std::string(size, 'x'), "application/x-www-form-urlencoded");
        REQUIRE(answer);
        CHECK(answer->status == 413);
        CHECK(answer->get_header_value("Content-Type") == "text/html; charset=utf-8");
        CHECK(answer->has_header("Content-Security-Policy"));
        CHECK(answer->body.find("This is too large") != std::string::npos);
        CHECK(answer->body.find("xxxx") == std::string::npos);
    }
}

TEST_CASE("browsers that do not finish what they send keep nobody else out", "[web]") {
    const Office office;
    const test::UnfinishedRequests strangers{office.port(), 200};
    httplib::Client client{"127.0.0.1", office.port()};
    const auto answer = client.Get("/sign-in");
    REQUIRE(answer);
    CHECK(answer->status == 200);
}
