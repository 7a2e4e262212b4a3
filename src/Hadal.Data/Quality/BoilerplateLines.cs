using System.Buffers;
using System.Collections.Frozen;

namespace Hadal.Data.Quality;

/// <summary>
/// Tells the lines that web pages put around their text. Only whole lines count, and only short ones: a sentence that speaks of cookies or of subscribing stays, since a notice
/// is known by two signs or by being nothing else.
/// </summary>
internal static class BoilerplateLines
{
    private const int LongestNotice = 240;
    private const int LongestRemark = 120;
    private const int LongestLabel = 40;

    private static readonly FrozenSet<string> _labels = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "advertisement", "advertisements", "sponsored content", "skip to main content", "skip to content", "skip to navigation", "read more", "continue reading", "back to top",
        "load more", "show more", "view more", "see more", "share this", "share this post", "share this article", "leave a comment", "leave a reply", "post a comment", "log in",
        "login", "sign in", "sign up", "subscribe now", "follow us", "print this page", "e-mail this page", "email this page", "previous post", "next post", "related posts",
        "广告", "返回顶部", "阅读更多", "阅读全文", "继续阅读", "查看更多", "点击查看更多", "加载更多", "上一篇", "下一篇", "登录", "注册", "分享", "相关文章",
        "続きを読む", "もっと見る", "広告", "ページトップへ", "ページの先頭へ", "トップへ戻る", "ログイン", "シェアする", "関連記事",
        "leer más", "seguir leyendo", "publicidad", "saltar al contenido", "ir al contenido", "volver arriba", "compartir", "iniciar sesión", "suscríbete", "artículos relacionados");

    private static readonly FrozenSet<string> _menu = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "home", "about", "about us", "contact", "contact us", "login", "log in", "sign in", "sign up", "register", "products", "services", "news", "blog", "forum", "forums", "help",
        "faq", "search", "careers", "jobs", "press", "rss", "shop", "site map", "sitemap", "privacy", "privacy policy", "terms", "terms of use", "terms of service", "support",
        "download", "downloads", "account", "my account", "cart", "checkout", "tweet", "print", "pin it", "e-mail", "email", "facebook", "twitter", "archive", "gallery", "events",
        "首页", "新闻", "论坛", "登录", "注册", "关于我们", "联系我们", "帮助", "搜索", "产品", "下载", "客服", "网站地图", "博客", "视频", "图片", "更多",
        "ホーム", "トップ", "ログイン", "お問い合わせ", "会社概要", "サイトマップ", "ヘルプ", "ニュース", "検索", "ブログ", "新規登録",
        "inicio", "contacto", "productos", "servicios", "noticias", "ayuda", "buscar", "registrarse", "acceder", "tienda", "quiénes somos");

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _labelOf = _labels.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _menuOf = _menu.GetAlternateLookup<ReadOnlySpan<char>>();

    // Something of every remark below: a line without any of them is none.
    private static readonly SearchValues<string> _stems = Ignoring("cookie", "javascript", "rights reserved", "copyright", "logged in", "log in to", "login to", "sign in to",
        "sign up for", "subscribe to", "your e-mail", "your email", "newsletter", "share on", "share this", "follow us on", "like us on", "tweet this", "this page", "click here",
        "版权所有", "转载", "登录后", "请登录", "订阅", "分享到", "关注我们", "点击这里", "無断転載", "ログインして", "メールマガジン", "こちらをクリック",
        "derechos reservados", "haga clic", "haz clic", "suscríb", "compartir en", "terms of use");

    private static readonly SearchValues<string> _cookieUse = Ignoring("use cookies", "uses cookies", "use of cookies", "using cookies", "accept cookies", "accept all cookies",
        "cookie policy", "cookie settings", "cookie preferences", "our cookies", "utilizamos cookies", "uso de cookies", "usa cookies");

    private static readonly SearchValues<string> _site = Ignoring("our site", "this site", "website", "web site", "browse", "browsing", "accept all", "preferences", "privacy", "consent",
        "your experience", "policy", "nuestro sitio", "este sitio", "aceptar");

    private static readonly SearchValues<string> _notices = Ignoring("使用cookie", "cookieを使用", "enable javascript", "javascript is disabled", "javascript is required",
        "turn on javascript", "requires javascript", "启用javascript", "javascriptを有効", "activar javascript", "habilitar javascript", "continuing to browse you agree");

    private static readonly SearchValues<string> _remarks = Ignoring("must be logged in to", "please log in to", "log in to post", "log in to reply", "login to comment",
        "sign in to continue", "sign up for our", "subscribe to our", "enter your e-mail", "enter your email", "our newsletter", "our free newsletter", "share on facebook",
        "share on twitter", "share on linkedin", "share on pinterest", "share this on", "follow us on", "like us on", "tweet this", "登录后", "请登录", "订阅我们", "分享到", "关注我们",
        "ログインしてください", "メールマガジンに登録", "suscríbete a", "suscríbase a", "compartir en facebook", "compartir en twitter");

    private static readonly SearchValues<string> _rights = Ignoring("all rights reserved", "版权所有", "未经许可不得转载", "未经授权", "無断転載", "derechos reservados");

    private static readonly SearchValues<char> _codeSigns = SearchValues.Create("\"'`;={}");

    private static readonly string[] _beginnings = ["click here", "点击这里", "こちらをクリック", "haga clic aquí", "haz clic aquí", "copyright (c)", "copyright ©", "print this page"];

    /// <summary>Whether the line is one.</summary>
    /// <param name="whole">The line with its blanks.</param>
    /// <param name="line">The same without blanks at its ends; not empty.</param>
    /// <param name="form">In code, lines that are indented, comments or hold quotes are left alone, and so are notices of rights.</param>
    public static bool IsOne(ReadOnlySpan<char> whole, ReadOnlySpan<char> line, TextForm form)
    {
        if (line.Length > LongestNotice) return false;
        bool code = form is TextForm.Code;
        if (code && (whole[0] is ' ' or '\t' || !char.IsLetter(line[0]) || line.ContainsAny(_codeSigns))) return false;
        if (line.Length <= LongestLabel)
        {
            ReadOnlySpan<char> label = line.TrimEnd(" .…!»>:→").TrimStart(" «<←");
            if (_labelOf.Contains(label) && (!code || label.IndexOf(' ') > 0)) return true;
        }

        if (line.ContainsAny(_stems))
        {
            if (line.ContainsAny(_notices) || line.ContainsAny(_cookieUse) && line.ContainsAny(_site)) return true;
            if (line.Length <= LongestRemark)
            {
                if (line.ContainsAny(_remarks) || !code && line.ContainsAny(_rights)) return true;
                foreach (string beginning in _beginnings)
                {
                    if (line.StartsWith(beginning, StringComparison.OrdinalIgnoreCase) && !(code && beginning[0] == 'c' && beginning[1] == 'o')) return true;
                }
            }
        }

        return IsMenu(line);
    }

    /// <summary>Whether the line is three or more short labels between separators, half of them such as menus have.</summary>
    private static bool IsMenu(ReadOnlySpan<char> line)
    {
        int at = line.IndexOfAny("|»›·•");
        if (at <= 0) return false;
        char separator = line[at];
        int labels = 0, known = 0;
        foreach (Range range in line.Split(separator))
        {
            ReadOnlySpan<char> label = line[range].Trim();
            if (label.IsEmpty || label.Length > 30) return false;
            labels++;
            if (_menuOf.Contains(label) || _labelOf.Contains(label) || label.StartsWith("share on ", StringComparison.OrdinalIgnoreCase)) known++;
        }

        return labels >= 3 && known * 2 >= labels;
    }

    private static SearchValues<string> Ignoring(params ReadOnlySpan<string> values) => SearchValues.Create(values, StringComparison.OrdinalIgnoreCase);
}
