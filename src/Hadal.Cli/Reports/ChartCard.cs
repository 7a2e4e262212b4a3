using System.Xml.Linq;

namespace Hadal.Cli.Reports;

/// <summary>The frame of a chart on a page.</summary>
internal static class ChartCard
{
    /// <summary>A chart with its title, unit and legend.</summary>
    /// <param name="title">Title.</param>
    /// <param name="unit">What the values are; null for nothing.</param>
    /// <param name="legend">Keys of the legend.</param>
    /// <param name="remark">A few words behind the legend; null for none.</param>
    /// <param name="drawings">The drawing, or one for wide and one for narrow pages.</param>
    /// <returns>The card.</returns>
    public static XElement Figure(string title, string? unit, List<XElement> legend, string? remark, params XElement[] drawings) =>
        HtmlPage.Element("figure", "card",
            new XElement("figcaption",
                new XElement("h3", title, unit is null ? null : HtmlPage.Element("span", "unit", ", " + unit)),
                legend.Count > 0 || remark is not null
                    ? HtmlPage.Element("ul", "legend", legend, remark is null ? null : HtmlPage.Element("li", "unit", remark))
                    : null),
            drawings);

    /// <summary>A key of a legend.</summary>
    /// <param name="name">What the curve is.</param>
    /// <param name="color">CSS colour.</param>
    /// <param name="kind"><c>dash</c> or <c>dot</c>; null for a line.</param>
    /// <returns>The key.</returns>
    public static XElement Key(string name, string color, string? kind = null) => new("li",
        new XElement("i", kind is null ? null : new XAttribute("class", kind), new XAttribute("style", $"color:{color}")), name);

    /// <summary>Gives a drawing its class: <c>wide</c> or <c>narrow</c>.</summary>
    /// <param name="drawing">The drawing.</param>
    /// <param name="style">The class.</param>
    /// <returns>The drawing.</returns>
    public static XElement As(this XElement drawing, string style)
    {
        drawing.SetAttributeValue("class", style);
        return drawing;
    }
}
