import { Frame } from "../frame.jsx";

export default () => <Frame title="About" />;
