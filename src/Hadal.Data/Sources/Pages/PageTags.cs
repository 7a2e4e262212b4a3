namespace Hadal.Data.Sources.Pages;

/// <summary>What the names and attributes of elements mean for the text of a page.</summary>
internal static class PageTags
{
    /// <summary>The meaning of a name in small letters.</summary>
    public static PageTag Of(ReadOnlySpan<char> name) => name switch
    {
        "br" => PageTag.Break,
        "hr" => PageTag.Rule,
        "area" or "base" or "basefont" or "bgsound" or "col" or "embed" or "frame" or "img" or "input" or "keygen" or "link" or "meta" or "param" or "source" or "track" or "wbr" => PageTag.Void,
        "p" => PageTag.Paragraph,
        "h1" or "h2" or "h3" or "h4" or "h5" or "h6" => PageTag.Heading,
        "pre" or "listing" => PageTag.Preformatted,
        "ul" or "dir" => PageTag.List,
        "ol" => PageTag.Numbers,
        "li" => PageTag.Item,
        "dl" => PageTag.Terms,
        "dt" or "dd" => PageTag.Term,
        "table" => PageTag.Table,
        "tr" => PageTag.Row,
        "td" or "th" => PageTag.Cell,
        "a" => PageTag.Link,
        "main" => PageTag.Main,
        "article" => PageTag.Article,
        "form" => PageTag.Form,
        "nav" or "aside" or "menu" or "dialog" => PageTag.Landmark,
        "header" => PageTag.Header,
        "footer" => PageTag.Footer,
        "button" or "select" or "option" or "datalist" or "svg" or "canvas" or "audio" or "video" or "object" or "applet" or "map" or "template" or "noscript" or "progress" or "meter" => PageTag.Dropped,
        "script" => PageTag.Script,
        "style" or "xmp" or "iframe" or "noembed" or "noframes" => PageTag.Raw,
        "title" or "textarea" => PageTag.Characters,
        "plaintext" => PageTag.Plain,
        "html" or "body" or "head" => PageTag.Root,
        "address" or "blockquote" or "caption" or "center" or "details" or "div" or "fieldset" or "figcaption" or "figure" or "hgroup" or "legend" or "search" or "section" or "summary" or "tbody" or "tfoot" or "thead" => PageTag.Block,
        _ => PageTag.Inline,
    };

    /// <summary>Whether an element begins and ends text of its own.</summary>
    public static bool IsBlock(PageTag tag) => tag is >= PageTag.Rule and not PageTag.Link and not PageTag.Dropped and not PageTag.Script and not PageTag.Raw and not PageTag.Characters;

    /// <summary>Whether a role says that an element is no part of the text (WAI-ARIA landmarks and widgets).</summary>
    public static bool IsAsideRole(ReadOnlySpan<char> role) =>
        role.Trim() is "navigation" or "banner" or "contentinfo" or "complementary" or "search" or "menu" or "menubar" or "toolbar" or "tablist" or "dialog" or "alertdialog" or "tooltip";

    /// <summary>Whether one of the names in a class or id is one that pages commonly give to what is no part of their text.</summary>
    public static bool IsAsideName(ReadOnlySpan<char> names)
    {
        Span<char> small = stackalloc char[32];
        foreach (Range range in names.Split(' '))
        {
            ReadOnlySpan<char> name = names[range];
            if (name.Length is < 2 or > 32) continue;
            int length = name.ToLowerInvariant(small);
            if (small[..length] is "nav" or "navbar" or "navigation" or "nav-links" or "nav-menu" or "navbox" or "main-nav" or "site-nav" or "top-nav" or "topnav" or "subnav" or "menu" or "main-menu" or "mobile-menu" or "dropdown-menu"
                or "sidebar" or "side-bar" or "sidenav" or "widget" or "widget-area" or "footer" or "site-footer" or "page-footer" or "site-header" or "page-header-nav" or "masthead" or "topbar" or "toolbar"
                or "breadcrumb" or "breadcrumbs" or "cookie" or "cookies" or "cookie-banner" or "cookie-consent" or "cookie-notice" or "gdpr" or "advert" or "advertisement" or "ads" or "ad" or "adsbygoogle" or "banner-ad" or "sponsored"
                or "social" or "social-links" or "social-share" or "share" or "sharing" or "share-buttons" or "sharedaddy" or "related" or "related-posts" or "related-articles" or "recommended" or "newsletter" or "subscribe" or "signup"
                or "popup" or "modal" or "overlay" or "pagination" or "pager" or "skip-link" or "skip-nav" or "screen-reader-text" or "sr-only" or "visually-hidden" or "mw-editsection" or "noprint" or "mw-jump-link" or "catlinks" or "printfooter") return true;
        }

        return false;
    }

    /// <summary>Whether an inline style hides an element.</summary>
    public static bool IsHiddenStyle(ReadOnlySpan<char> style)
    {
        int at = style.IndexOf("display", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return false;
        ReadOnlySpan<char> rest = style[(at + 7)..].TrimStart();
        return rest.StartsWith(':') && rest[1..].TrimStart().StartsWith("none", StringComparison.OrdinalIgnoreCase);
    }
}
