using System.Text.RegularExpressions;

namespace Marten.Events;

/// <summary>The names under which types are stored: <c>OrderPlaced</c> is <c>order_placed</c>.</summary>
internal static partial class EventAlias
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(char)] = "char",
        [typeof(decimal)] = "decimal",
        [typeof(double)] = "double",
        [typeof(float)] = "float",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
    };

    public static string Of(Type type)
    {
        if (type.IsGenericType)
        {
            return ShortName(type);
        }

        string words = BeforeCapitalisedWord().Replace(type.Name, "$1 $2");
        words = AfterLowerCase().Replace(words, "$1 $2");
        return words.ToLowerInvariant().Replace(' ', '_');
    }

    /// <summary>Type and simple assembly name, without version or culture.</summary>
    public static string DotNetTypeName(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";

    private static string ShortName(Type type)
    {
        if (Keywords.TryGetValue(type, out string? keyword))
        {
            return keyword;
        }

        if (!type.IsGenericType)
        {
            return type.Name;
        }

        string name = type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)];
        return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(ShortName))}>";
    }

    [GeneratedRegex(@"(\P{Ll})(\P{Ll}\p{Ll})")]
    private static partial Regex BeforeCapitalisedWord();

    [GeneratedRegex(@"(\p{Ll})(\P{Ll})")]
    private static partial Regex AfterLowerCase();
}
