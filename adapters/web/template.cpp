#include "adapters/web/template.h"

#include <stdexcept>

namespace flagpost::web {
namespace {

using kainjow::mustache::data;

constexpr std::size_t includes_max = 32;  // of one template, one in another or side by side

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

/// Reads tags up to the end of the section `name`, or of the text.
std::vector<Tag> read_tags(std::string_view& text, const std::string& name) {
    std::vector<Tag> tags;
    for (;;) {
        const auto open = text.find("{{");
        if (open == std::string_view::npos) {
            if (!name.empty()) throw std::logic_error{"a template's section " + name + " does not end"};
            return tags;
        }
        text.remove_prefix(open + 2);
        const auto close = text.find("}}");
        if (close == std::string_view::npos) throw std::logic_error{"a template's tag does not end"};
        std::string_view tag = trimmed(text.substr(0, close));
        text.remove_prefix(close + 2);
        if (tag.empty() || tag.front() == '{' || tag.front() == '&')
            throw std::logic_error{"a template has a tag that does not escape"};
        const char sign = tag.front();
        if (sign == '!') continue;
        if (sign == '/') {
            if (trimmed(tag.substr(1)) != name) throw std::logic_error{"a template ends another section"};
            return tags;
        }
        if (sign != '#' && sign != '^') {
            tags.push_back({Tag::Kind::variable, std::string{tag}, {}});
            continue;
        }
        const std::string section{trimmed(tag.substr(1))};
        auto inside = read_tags(text, section);
        tags.push_back({sign == '#' ? Tag::Kind::section : Tag::Kind::inverted, section, std::move(inside)});
    }
}

void check(const std::vector<Tag>& tags, const data& scope, const std::string& where) {
    for (const Tag& tag : tags) {
        const data* value = scope.get(tag.name);
        if (value == nullptr) throw std::logic_error{where + ": " + tag.name + " is not set"};
        if (tag.kind == Tag::Kind::variable && !value->is_string())
            throw std::logic_error{where + ": " + tag.name + " is no text"};
        if (tag.kind == Tag::Kind::section && value->is_list()) {
            for (const data& item : value->list_value()) check(tag.inside, item, where + "/" + tag.name);
        } else {
            check(tag.inside, scope, where);
        }
    }
}

}  // namespace

View& View::text(const std::string& name, const std::string& value) {
    data_.set(name, value);
    names_.push_back(name);
    return *this;
}

View& View::flag(const std::string& name, bool value) {
    data_.set(name, value);
    names_.push_back(name);
    return *this;
}

View& View::list(const std::string& name, const std::vector<View>& items) {
    kainjow::mustache::data all{kainjow::mustache::data::type::list};
    for (const View& item : items) all.push_back(item.data());
    data_.set(name, all);
    names_.push_back(name);
    return *this;
}

View& View::maybe(const std::string& name, const std::string& value) {
    return text(name, value).flag("has_" + name, !value.empty());
}

View& View::merge(const View& other) {
    for (const auto& name : other.names_) {
        data_.set(name, *other.data_.get(name));
        names_.push_back(name);
    }
    return *this;
}

std::vector<Tag> tags_of(std::string_view text) { return read_tags(text, {}); }

void Templates::add(std::string_view name, std::string_view text) {
    texts_.insert_or_assign(std::string{name}, std::string{text});
}

std::string Templates::text_of(const std::string& name) const {
    const auto found = texts_.find(name);
    if (found == texts_.end()) throw std::logic_error{"there is no template " + name};
    std::string text = found->second;
    for (std::size_t depth = 0;; ++depth) {
        const auto open = text.find("{{>");
        if (open == std::string::npos) return text;
        if (depth == includes_max) throw std::logic_error{"template " + name + " includes without end"};
        const auto close = text.find("}}", open);
        if (close == std::string::npos) throw std::logic_error{"template " + name + " has a tag without end"};
        const auto part = texts_.find(trimmed(std::string_view{text}.substr(open + 3, close - open - 3)));
        if (part == texts_.end()) throw std::logic_error{"template " + name + " includes what is not there"};
        text.replace(open, close + 2 - open, part->second);
    }
}

std::string Templates::render(const std::string& name, const View& view) const {
    const std::string text = text_of(name);
    check(tags_of(text), view.data(), name);
    kainjow::mustache::mustache page{text};
    if (!page.is_valid()) throw std::logic_error{"template " + name + ": " + page.error_message()};
    return page.render(view.data());
}

std::vector<std::string> Templates::names() const {
    std::vector<std::string> all;
    for (const auto& [name, text] : texts_) all.push_back(name);
    return all;
}

}  // namespace flagpost::web
