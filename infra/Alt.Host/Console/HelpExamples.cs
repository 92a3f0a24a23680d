using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Alt.Host;

/// <summary>Adds examples to a command's help.</summary>
internal static class HelpExamples
{
    public static Command WithExamples(this Command command, params string[] examples)
    {
        command.Add(new HelpOption { Action = new HelpThenExamples(examples) });
        return command;
    }

    public static void AddTo(RootCommand root, string[] examples) =>
        root.Options.OfType<HelpOption>().First().Action = new HelpThenExamples(examples);

    private sealed class HelpThenExamples(string[] examples) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var result = new HelpAction().Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var example in examples)
            {
                output.WriteLine($"  {example}");
            }

            output.WriteLine();
            return result;
        }
    }
}
