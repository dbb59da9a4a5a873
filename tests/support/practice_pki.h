/// A practice partnership's certificates in a folder of the test's own, made by certs/make-dev-pki.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "broker/crypto/tls.h"
#include "tests/support/temporary_directory.h"

namespace flagpost::test {

class PracticePki {
public:
    static constexpr const char* partnership = "county.example";

    /// arguments   such as "--agency police/31 --zoo"
    explicit PracticePki(const std::string& arguments) {
        run("--partnership " + std::string{partnership} + ' ' + arguments);
    }
    void revoke(const std::string& agency) const { run("--revoke " + agency); }

    std::filesystem::path path(const std::string& name) const { return directory_.path() / name; }
    crypto::TlsFiles broker() const {
        return {path("broker/tls.crt"), path("broker/tls.key"), path("ca.crt"), path("crl.pem")};
    }
    /// party   folder of the certificate: "police-31", "zoo/expired"
    crypto::TlsFiles client(const std::string& party) const {
        return {path(party + "/tls.crt"), path(party + "/tls.key"), path("ca.crt"), {}};
    }

private:
    void run(const std::string& arguments) const {
        const std::string command = std::string{TEST_SOURCE_DIR} + "/certs/make-dev-pki --out " +
                                    directory_.path().string() + ' ' + arguments;
        if (std::system(command.c_str()) != 0) throw std::runtime_error{command};
    }
    TemporaryDirectory directory_;
};

}  // namespace flagpost::test
