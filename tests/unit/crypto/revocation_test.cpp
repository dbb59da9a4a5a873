#include "broker/crypto/revocation.h"

#include <fstream>
#include <iterator>

#include "tests/support/catch.h"
#include "tests/support/practice_pki.h"

using namespace flagpost;
using namespace flagpost::crypto;

TEST_CASE("of a file of revocation lists every one is read, or none", "[crypto]") {
    const test::PracticePki pki{"--agency police/31"};
    const auto text_of = [&] {
        std::ifstream in{pki.path("crl.pem")};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    const auto first = text_of();
    pki.revoke("police/31");
    const auto second = text_of();

    const auto both = revocation_lists_in(first + second, "crl.pem");
    REQUIRE(both.size() == 2);
    CHECK(*number_of(both[1].get()) > *number_of(both[0].get()));
    CHECK(read_revocation_lists(pki.path("crl.pem")).size() == 1);

    auto damaged = second;
    damaged[second.size() / 2] = '!';
    for (const auto& text :
         {std::string{}, std::string{"half a file"}, damaged, first + damaged, damaged + first})
        CHECK_THROWS_WITH(revocation_lists_in(text, "crl.pem"),
                          Catch::Contains("crl.pem: no revocation list"));
    CHECK_THROWS_WITH(read_revocation_lists(pki.path("none.pem")),
                      Catch::Contains("none.pem: cannot be read"));
}

TEST_CASE("a revocation list of an older number is refused, whichever of several it is", "[crypto]") {
    const test::PracticePki pki{"--agency police/31"}, other{"--agency police/31"};
    const auto before = read_revocation_lists(pki.path("crl.pem"));
    pki.revoke("police/31");
    const auto after = read_revocation_lists(pki.path("crl.pem")),
               strangers = read_revocation_lists(other.path("crl.pem"));
    const X509_CRL *const older = before[0].get(), *const newer = after[0].get(),
                          *const theirs = strangers[0].get();
    CHECK_NOTHROW(refuse_older({newer}, {older}));
    CHECK_NOTHROW(refuse_older({newer, theirs}, {older, newer}));
    CHECK_NOTHROW(refuse_older({older}, {}));
    CHECK_NOTHROW(refuse_older({theirs}, {newer}));
    CHECK_THROWS_AS(refuse_older({older}, {newer}), CryptoFailure);
    CHECK_THROWS_AS(refuse_older({theirs, older}, {theirs, newer}), CryptoFailure);
}
