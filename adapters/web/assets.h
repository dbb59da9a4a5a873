/// What pages load: one stylesheet and one picture, each under a name that holds its digest and may be kept for ever.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flagpost::web {

/// Compiled from flagpost.scss by the build; empty where it was built without npm.
extern const std::string_view stylesheet_text;

struct Asset {
    std::string path;  // "/assets/flagpost-0a1b….css"
    std::string_view type, content;
};

const Asset& stylesheet();
const Asset& icon();

/// The asset of this path.
std::optional<Asset> find_asset(std::string_view path);

}  // namespace flagpost::web
