#include "adapters/web/assets.h"

#include "broker/crypto/digest.h"
#include "web_icon.h"

namespace flagpost::web {
namespace {

Asset named(const std::string& stem, const std::string& ending, std::string_view type,
            std::string_view content) {
    const auto digest = crypto::sha256(view(content));
    return {"/assets/" + stem + "-" + to_hex(BytesView{digest}.first(16)) + ending, type, content};
}

}  // namespace

const Asset& stylesheet() {
    static const Asset asset = named("flagpost", ".css", "text/css; charset=utf-8", stylesheet_text);
    return asset;
}

const Asset& icon() {
    static const Asset asset = named("icon", ".svg", "image/svg+xml", icon_text);
    return asset;
}

std::optional<Asset> find_asset(std::string_view path) {
    for (const Asset* asset : {&stylesheet(), &icon()})
        if (asset->path == path) return *asset;
    return std::nullopt;
}

}  // namespace flagpost::web
