/// Pages as templates (mustache) and the values that fill them.
///
/// Mustache looks a missing name up outwards, so that a child without an address would show the incident's. Here every
/// name a template uses must be set in its own scope: render throws std::logic_error otherwise.
#pragma once

#include <kainjow/mustache.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flagpost::web {

/// The values of one scope.
class View {
public:
    View& text(const std::string& name, const std::string& value);
    View& flag(const std::string& name, bool value);
    View& list(const std::string& name, const std::vector<View>& items);
    /// A text, and `has_<name>`: to mustache an empty text is as true as any other.
    View& maybe(const std::string& name, const std::string& value);
    /// What `other` has set as well.
    View& merge(const View& other);

    const kainjow::mustache::data& data() const { return data_; }
    const std::vector<std::string>& names() const { return names_; }

private:
    kainjow::mustache::data data_;
    std::vector<std::string> names_;
};

struct TemplateText {
    std::string_view name, text;
};

class Templates {
public:
    /// `{{> name}}` stands for another template's text, found when it is rendered.
    void add(std::string_view name, std::string_view text);
    template <class All> void add_all(const All& all) {
        for (const TemplateText& each : all) add(each.name, each.text);
    }

    /// Throws std::logic_error for a name that is not set, an unknown template or one that does not parse.
    std::string render(const std::string& name, const View& view) const;

    /// With all it includes.
    std::string text_of(const std::string& name) const;
    std::vector<std::string> names() const;

private:
    std::map<std::string, std::string, std::less<>> texts_;
};

/// The tags of a template as a tree.
struct Tag {
    enum class Kind { variable, section, inverted } kind;
    std::string name;
    std::vector<Tag> inside;
};
std::vector<Tag> tags_of(std::string_view text);

}  // namespace flagpost::web
