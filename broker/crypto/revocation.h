/// Revocation lists as they lie in a PEM file: read in one way wherever certificates of peers are judged.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/crypto/handles.h"

namespace flagpost::crypto {

using RevocationList = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;

/// Every list, at least one. Throws CryptoFailure, naming `file`, if there is none or one of them is damaged: none is left out.
std::vector<RevocationList> revocation_lists_in(std::string_view pem, const std::filesystem::path& file);
std::vector<RevocationList> read_revocation_lists(const std::filesystem::path& file);

/// The number a list bears; nothing if none, or one too large for 64 bits.
std::optional<std::uint64_t> number_of(const X509_CRL* list);

/// An older list would set free whom the newer one revoked: throws CryptoFailure if one of `fresh` has a lower number than one of
/// `held` by the same issuer. Lists without numbers are not compared.
void refuse_older(const std::vector<const X509_CRL*>& fresh, const std::vector<const X509_CRL*>& held);

}  // namespace flagpost::crypto
